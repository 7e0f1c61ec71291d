package io.pageferry.bench.house;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Holds the last column of docs/GLOSSARY.md: words that are not used, in names and in prose. */
class GlossaryTest {
    private static final Pattern WORD_BORDER = Pattern.compile("(?<=[a-z0-9])(?=[A-Z])|_");

    /** Each term once, and no term that is also a word not used. */
    @Test
    void aTermStandsForOneThing() {
        List<String> terms = rows().stream().flatMap(row -> words(row.get(0)).stream()).toList();
        List<String> avoided = avoided();

        assertTrue(terms.size() > 50 && avoided.size() > 5, terms + " " + avoided);
        assertEquals(terms.size(), new TreeSet<>(terms).size(), terms.toString());
        assertEquals(List.of(), terms.stream().filter(avoided::contains).toList());
    }

    @Test
    void noSourceUsesAWordThatIsAvoided() {
        List<Source> sources = Repository.sources().stream().filter(Source::isMain).toList();

        assertEquals("", String.join("\n", uses(sources)));
    }

    /** "Counts." says nothing that the method's name does not: verb and object. */
    @Test
    void aMethodsSummaryHasAnObject() {
        assertEquals("", String.join("\n", Repository.sources().stream().filter(Source::isMain)
                .flatMap(source -> verbsAlone(source).stream()).toList()));
        assertEquals(List.of("A.java:2: * Counts.", "A.java:5: * Opens it."),
                verbsAlone(Source.of("A.java", """
                        /**
                         * Counts.
                         */
                        /**
                         * Opens it.
                         * Counts dirty pages.
                         */""")));
    }

    private static List<String> verbsAlone(Source source) {
        List<String> lines = source.text().lines().toList();
        return IntStream.range(1, lines.size())
                .filter(i -> lines.get(i - 1).strip().equals("/**")
                        && lines.get(i).strip().matches("\\* [A-Z][a-z]+( it)?\\."))
                .mapToObj(i -> source.path() + ":" + (i + 1) + ": " + lines.get(i).strip())
                .toList();
    }

    @Test
    void namesAndProseAreSearched() {
        List<Source> bad = List.of(Source.of("A.java", "class SourceDoor {\n    // the brakes\n"
                + "    int carRoad;\n}\n"), Source.of("B.java", "class Broad { int planes; }"));

        assertEquals(List.of("A.java:1: class SourceDoor {", "A.java:2: // the brakes",
                "A.java:3: int carRoad;"), uses(bad));
    }

    private static List<String> uses(List<Source> sources) {
        Pattern avoided = Pattern.compile("(?i)\\b(" + avoided().stream().map(Pattern::quote)
                .collect(Collectors.joining("|")) + ")(s|ed|ing)?\\b");
        List<String> uses = new ArrayList<>();
        for (Source source : sources) {
            List<String> lines = source.text().lines().toList();
            IntStream.range(0, lines.size())
                    .filter(i -> avoided.matcher(
                            WORD_BORDER.matcher(lines.get(i)).replaceAll(" ")).find())
                    .forEach(i -> uses.add(source.path() + ":" + (i + 1) + ": "
                            + lines.get(i).strip()));
        }
        return uses;
    }

    private static List<String> avoided() {
        return rows().stream().flatMap(row -> words(row.get(2)).stream()).distinct().toList();
    }

    private static List<String> words(String cell) {
        return List.of(cell.split(",")).stream().map(String::strip)
                .filter(word -> !word.isEmpty()).toList();
    }

    /** Cells of each row of each table, without the heads. */
    private static List<List<String>> rows() {
        return Repository.read(Repository.root().resolve("docs/GLOSSARY.md")).lines()
                .filter(line -> line.startsWith("| ") && !line.startsWith("| term "))
                .map(line -> List.of(line.split("\\|", -1)).subList(1, 4).stream()
                        .map(String::strip).toList())
                .toList();
    }
}
