package io.pageferry.bench.house;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The way of {@code --bandwidth} from the command line to what holds pages back stays short. */
class BandwidthTest {
    private static final int MOST_HANDS = 5;
    private static final Pattern NAMED = Pattern.compile("\\bBandwidth\\b|\\bbandwidth\\(\\)");
    private static final Pattern DIVIDED = Pattern.compile(
            "(?i)\\b(\\w*bandwidth\\w*|rate|bytesPerSecond)(\\(\\))*"
                    + "\\s*[*/]\\s*(\\d|PARTS|SHARE)");

    /** Who carries the limits whole, as a record of them does, has nothing in hand. */
    private static TreeSet<String> hands(List<Source> sources) {
        return sources.stream().filter(Source::isMain)
                .filter(source -> source.isIn("io.pageferry.agent.cli", "io.pageferry.core"))
                .filter(source -> !source.typeName().equals("Bandwidth"))
                .filter(source -> !source.linesWith(NAMED).isEmpty())
                .map(Source::typeName).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Where a rate becomes a part of itself, which is what disks and memory share. */
    private static List<String> dividers(List<Source> sources) {
        return sources.stream().filter(Source::isMain)
                .filter(source -> source.isIn("io.pageferry.agent.cli",
                        "io.pageferry.agent.session", "io.pageferry.agent.embed",
                        "io.pageferry.core.round"))
                .filter(source -> !source.linesWith(DIVIDED).isEmpty())
                .map(Source::typeName).toList();
    }

    @Test
    void itPassesFewHands() {
        List<Source> sources = Repository.sources();
        assertTrue(hands(sources).size() <= MOST_HANDS, () -> "" + hands(sources));
        assertTrue(hands(sources).containsAll(List.of("MigrateOptions", "RateLimiter")),
                () -> "this test looks for what is no more: " + hands(sources));
        Source another = Source.of("engine-core/src/main/java/Another.java",
                "package io.pageferry.core.precopy;\nclass Another { Bandwidth of; }\n");
        assertTrue(hands(Stream.concat(sources.stream(), Stream.of(another)).toList())
                .contains("Another"));
    }

    @Test
    void onePlaceSharesIt() {
        List<Source> sources = Repository.sources();
        assertEquals(List.of("Bandwidth"), dividers(sources));
        Source second = Source.of("engine-agent/src/main/java/Second.java",
                "package io.pageferry.agent.cli;\nclass Second { long a = rate / 4; }\n");
        assertEquals(List.of("Second"), dividers(List.of(second)));
    }
}
