package io.pageferry.agent.host.linux;

import io.pageferry.core.words.Printable;
import java.io.IOException;

/**
 * Reads text of the kernel. What has not the form that proc(5) gives is an {@link IOException} with
 * a message like any other reason, whatever went wrong in reading it.
 */
public final class ProcText {
    private static final int SHOWN = 100;

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
}
