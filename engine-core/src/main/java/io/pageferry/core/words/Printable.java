package io.pageferry.core.words;

/** Makes text of a peer or another process harmless to a terminal and to a log of lines. */
public final class Printable {
    private Printable() {
    }

    /**
     * Escapes what a terminal obeys instead of showing it, and what ends a line: control and
     * format characters, separators of lines, halves of surrogate pairs.
     *
     * @param text any
     * @return the text with each such character as {@code \}{@code uXXXX}; the very same object
     *         where there is none
     */
    public static String of(String text) {
        if (text.codePoints().allMatch(Printable::isShown)) {
            return text;
        }
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(one -> {
            if (isShown(one)) {
                shown.appendCodePoint(one);
            } else {
                shown.append(String.format("\\u%04x", one));
            }
        });
        return shown.toString();
    }

    private static boolean isShown(int one) {
        return switch (Character.getType(one)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE,
                    Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
