package io.pageferry.bench.house;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** Names of places that mean nothing to the next reader: folders of one machine, registries. */
final class PlacesNamed {

    // Put together, else this file would be the first finding.
    private static final Pattern PLACES = Pattern.compile(
            "(?<![\\w.}])/(wo" + "rk|ro" + "ot)/"
                    + "|repo1?\\.maven\\." + "|(oss|central)\\.sonatype\\." + "|search\\.maven\\."
                    + "|registry\\.npmjs\\." + "|\\bpypi\\." + "|\\b(ghcr|quay|docker)\\.io\\b");

    private PlacesNamed() { }

    static List<String> find(String path, String text) {
        List<String> lines = text.lines().toList();
        return IntStream.range(0, lines.size())
                .filter(i -> PLACES.matcher(lines.get(i)).find())
                .mapToObj(i -> path + ":" + (i + 1) + ": " + lines.get(i).strip())
                .toList();
    }
}
