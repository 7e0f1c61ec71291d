package io.pageferry.bench.house;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The code in docs/EMBEDDING.md is code that is built and tested: it stands in its source. */
class EmbeddingDocTest {
    private static final Pattern CODE = Pattern.compile(
            "(?m)^(.*)\n```java\n((?:(?!```).*\n)+)```$");
    private static final Pattern FROM = Pattern.compile("<!-- from (\\S+\\.java) -->");

    @Test
    void everyPieceOfCodeStandsInItsSource() {
        String text = Repository.read(Repository.root().resolve("docs/EMBEDDING.md"));
        Matcher code = CODE.matcher(text);
        List<String> wrong = new ArrayList<>();
        int found = 0;
        while (code.find()) {
            found++;
            Matcher from = FROM.matcher(code.group(1));
            String first = code.group(2).lines().findFirst().orElseThrow();
            if (!from.matches()) {
                wrong.add("no source is named for: " + first);
                continue;
            }
            Path source = Repository.root().resolve(from.group(1));
            if (!Files.exists(source)) {
                wrong.add("there is no " + from.group(1));
            } else if (!stands(code.group(2), Repository.read(source))) {
                wrong.add(from.group(1) + " does not have, word for word: " + first);
            }
        }
        assertEquals(List.of(), wrong);
        assertEquals(text.split("```java", -1).length - 1, found, "blocks that were looked at");
        assertTrue(found >= 10, () -> "only so many blocks");
    }

    @Test
    void aPieceThatDiffersInOneWordIsFound() {
        String source = "class A {\n    int a() {\n\n        return 1;\n    }\n}\n";
        assertTrue(stands("int a() {\n\n    return 1;\n}\n", source));
        assertFalse(stands("int a() {\n\n    return 2;\n}\n", source));
        assertFalse(stands("int a() {\n\n  return 1;\n}\n", source));
        assertFalse(stands("int a() {\n    return 1;\n}\n", source));
    }

    /** Whether lines stand together in a source, all indented by the same number of blanks. */
    private static boolean stands(String piece, String source) {
        List<String> wanted = piece.lines().toList();
        List<String> there = source.lines().toList();
        return IntStream.rangeClosed(0, there.size() - wanted.size())
                .anyMatch(at -> standsAt(wanted, there.subList(at, at + wanted.size())));
    }

    private static boolean standsAt(List<String> wanted, List<String> there) {
        String indent = there.getFirst().substring(0,
                there.getFirst().length() - there.getFirst().stripLeading().length());
        return IntStream.range(0, wanted.size()).allMatch(i -> there.get(i)
                .equals(wanted.get(i).isEmpty() ? "" : indent + wanted.get(i)));
    }
}
