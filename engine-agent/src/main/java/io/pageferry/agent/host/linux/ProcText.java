package io.pageferry.agent.host.linux;

import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Reads text of the kernel. What has not the form that proc(5) gives is an {@link IOException} with
 * a message like any other reason, whatever went wrong in reading it.
 */
public final class ProcText {
    private static final int SHOWN = 100;
    private static final int OCTAL_DIGITS = 3;

    private ProcText() {
    }

    /**
     * Reads a text.
     *
     * @param <T> what is in it
     */
    public interface Parser<T> {
        /**
         * Reads the text.
         *
         * @param text as the kernel wrote it
         * @return what it says
         */
        T parse(String text);
    }

    /**
     * Parses a text.
     *
     * @param <T>    what is in it
     * @param what   names the text, as the name of its file
     * @param text   as the kernel wrote it
     * @param parser may throw what its text makes it throw
     * @return what the parser returned
     * @throws IOException when the text has not the form that the parser wants; shows its beginning
     */
    public static <T> T parse(String what, String text, Parser<T> parser) throws IOException {
        try {
            return parser.parse(text);
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new IOException(what + " has not the form that proc(5) gives: "
                    + Printable.of(text.substring(0, Math.min(SHOWN, text.length()))), e);
        }
    }

    /**
     * Reads a name as mountinfo and its like write it: blanks and their like are octal numbers.
     *
     * @param text read as ISO-8859-1, since a name is bytes of whatever encoding
     * @return the name
     * @throws IllegalArgumentException when a number is none
     */
    public static String unescape(String text) {
        byte[] plain = new byte[text.length()];
        int count = 0;
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\\' && i + OCTAL_DIGITS < text.length()) {
                plain[count++] = (byte) Integer.parseInt(
                        text.substring(i + 1, i + 1 + OCTAL_DIGITS), 8);
                i += OCTAL_DIGITS;
            } else {
                plain[count++] = (byte) text.charAt(i);
            }
        }
        return new String(plain, 0, count, StandardCharsets.UTF_8);
    }
}
