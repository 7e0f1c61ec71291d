package io.pageferry.agent.guest.qemu.start;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * The words of a line of a start file. A word stands as it is; or in {@code '…'}, where all is
 * itself; or in {@code "…"}, where {@code \\}, {@code \"}, {@code \n}, {@code \t}, {@code \r} and
 * {@code \xHH} mean what they mean in C. So every byte but 0 can be said. Strings are
 * {@link RawText}.
 */
final class Words {
    private static final int HEX = 16;

    private final String line;
    private int at;

    private Words(String line) {
        this.line = line;
    }

    /**
     * Reads a line.
     *
     * @throws IllegalArgumentException where it makes no sense, with the reason
     */
    static List<String> parse(String line) {
        Words words = new Words(line);
        List<String> all = new ArrayList<>();
        for (words.skipBlanks(); words.at < line.length(); words.skipBlanks()) {
            all.add(words.next());
        }
        return all;
    }

    private static boolean isBlank(char one) {
        return one == ' ' || one == '\t' || one == '\r';
    }

    private void skipBlanks() {
        while (at < line.length() && isBlank(line.charAt(at))) {
            at++;
        }
    }

    private String next() {
        char first = line.charAt(at);
        String word = first == '\'' ? literal() : first == '"' ? escaped() : plain();
        if (at < line.length() && !isBlank(line.charAt(at))) {
            throw new IllegalArgumentException("a blank is missing behind a quoted word; a word is"
                    + " quoted as a whole");
        }
        return word;
    }

    private String plain() {
        int begin = at;
        while (at < line.length() && !isBlank(line.charAt(at))) {
            char one = line.charAt(at);
            if (one == '\'' || one == '"' || one == 0) {
                throw new IllegalArgumentException("a word with a quote or a zero byte in it is"
                        + " quoted as a whole");
            }
            at++;
        }
        return line.substring(begin, at);
    }

    private String literal() {
        int end = line.indexOf('\'', at + 1);
        if (end < 0) {
            throw open();
        }
        String word = line.substring(at + 1, end);
        if (word.indexOf(0) >= 0) {
            throw zero();
        }
        at = end + 1;
        return word;
    }

    private String escaped() {
        StringBuilder word = new StringBuilder();
        for (at++; at < line.length(); at++) {
            char one = line.charAt(at);
            if (one == '"') {
                at++;
                return word.toString();
            }
            char meant = one == '\\' ? escape() : one;
            if (meant == 0) {
                throw zero();
            }
            word.append(meant);
        }
        throw open();
    }

    private char escape() {
        if (++at >= line.length()) {
            throw open();
        }
        return switch (line.charAt(at)) {
            case '\\' -> '\\';
            case '"' -> '"';
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case 'x' -> {
                int digits = at + 1;
                at += 2;
                if (at >= line.length()) {
                    throw open();
                }
                int high = Character.digit(line.charAt(digits), HEX);
                int low = Character.digit(line.charAt(at), HEX);
                if (high < 0 || low < 0) {
                    throw new IllegalArgumentException("\\x wants two hexadecimal digits");
                }
                yield (char) (high * HEX + low);
            }
            default -> throw new IllegalArgumentException("in \"…\" a \\ is followed by one of"
                    + " \\ \" n t r xHH");
        };
    }

    private static IllegalArgumentException open() {
        return new IllegalArgumentException("a quoted word does not end in its line");
    }

    private static IllegalArgumentException zero() {
        return new IllegalArgumentException("no argument holds a zero byte");
    }

    /** Writes words as a line without its end. */
    static String print(List<String> words) {
        List<String> all = new ArrayList<>();
        words.forEach(word -> all.add(print(word)));
        return String.join(" ", all);
    }

    private static String print(String word) {
        boolean shown = RawText.decoded(word).isPresent()
                && word.chars().noneMatch(one -> one < ' ' || one == 0x7f);
        if (shown && word.indexOf('\'') < 0) {
            boolean plain = !word.isEmpty() && word.indexOf(' ') < 0 && word.indexOf('"') < 0
                    && "#!".indexOf(word.charAt(0)) < 0;
            return plain ? word : "'" + word + "'";
        }
        StringBuilder text = new StringBuilder("\"");
        for (char one : word.toCharArray()) {
            text.append(switch (one) {
                case '\\' -> "\\\\";
                case '"' -> "\\\"";
                case '\n' -> "\\n";
                case '\t' -> "\\t";
                case '\r' -> "\\r";
                default -> one >= ' ' && one != 0x7f && (shown || one < 0x80)
                        ? String.valueOf(one)
                        : "\\x" + HexFormat.of().toHexDigits((byte) one);
            });
        }
        return text.append('"').toString();
    }
}
