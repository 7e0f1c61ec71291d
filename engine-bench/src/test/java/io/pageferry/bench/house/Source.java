package io.pageferry.bench.house;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * One Java source file.
 *
 * @param path where it is, from the root of the repository, with {@code /}
 * @param text all of it
 * @param code the text with comments and the contents of literals made blank, line for line:
 *         what a rule looks at, since prose may name anything
 */
record Source(String path, String text, String code) {

    private static final Pattern PACKAGE = Pattern.compile("(?m)^package\\s+([\\w.]+)\\s*;");
    private static final Pattern PROSE = Pattern.compile(
            "//[^\n]*"
                    + "|/\\*[\\s\\S]*?\\*/"
                    // No group in the loop: a long text block would overflow the stack.
                    + "|\"\"\"[\\s\\S]*?\"\"\""
                    + "|\"(?:\\\\.|[^\"\\\\\n])*\""
                    + "|'(?:\\\\.|[^'\\\\\n])+'");

    static Source of(String path, String text) {
        return new Source(path, text, withoutProse(text));
    }

    boolean isMain() {
        return path.contains("/src/main/");
    }

    String packageName() {
        Matcher found = PACKAGE.matcher(code);
        return found.find() ? found.group(1) : "";
    }

    String typeName() {
        return path.substring(path.lastIndexOf('/') + 1).replace(".java", "");
    }

    /** Whether it is in one of these packages or below. */
    boolean isIn(String... rooms) {
        String here = packageName() + ".";
        return List.of(rooms).stream().anyMatch(room -> here.startsWith(room + "."));
    }

    /** Each line of code that has the pattern, as {@code path:line: text}. */
    List<String> linesWith(Pattern pattern) {
        List<String> lines = code.lines().toList();
        return IntStream.range(0, lines.size())
                .filter(i -> pattern.matcher(lines.get(i)).find())
                .mapToObj(i -> path + ":" + (i + 1) + ": " + lines.get(i).strip())
                .toList();
    }

    /** Each string literal that has the pattern, as {@code path:line: literal}. */
    List<String> literalsWith(Pattern pattern) {
        return PROSE.matcher(text).results()
                .filter(prose -> prose.group().startsWith("\""))
                .filter(literal -> pattern.matcher(literal.group()).find())
                .map(literal -> path + ":"
                        + text.substring(0, literal.start()).lines().count() + ": "
                        + literal.group())
                .toList();
    }

    private static String withoutProse(String text) {
        return PROSE.matcher(text).replaceAll(
                prose -> prose.group().replaceAll("[^\n]+", " "));
    }
}
