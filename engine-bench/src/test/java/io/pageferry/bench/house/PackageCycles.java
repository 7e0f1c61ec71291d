package io.pageferry.bench.house;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Packages that need each other, straight or by a way round. */
final class PackageCycles {

    private static final Pattern NAME = Pattern.compile("\\bio\\.pageferry(\\.[a-z]\\w*)+");

    private PackageCycles() { }

    /** Each package that can be reached from itself, with the way. */
    static List<String> find(List<Source> sources) {
        Map<String, Set<String>> uses = new TreeMap<>();
        for (Source source : sources) {
            if (source.isMain()) {
                uses.computeIfAbsent(source.packageName(), _ -> new TreeSet<>())
                        .addAll(packagesNamedBy(source));
            }
        }
        return uses.keySet().stream()
                .map(start -> wayBack(start, uses))
                .filter(way -> !way.isEmpty())
                .map(way -> String.join(" -> ", way))
                .toList();
    }

    private static Set<String> packagesNamedBy(Source source) {
        Set<String> named = new TreeSet<>();
        for (Matcher found = NAME.matcher(source.code()); found.find();) {
            named.add(found.group());
        }
        named.remove(source.packageName());
        return named;
    }

    /** A shortest way from the package to itself, or an empty list. */
    private static List<String> wayBack(String start, Map<String, Set<String>> uses) {
        Deque<List<String>> ways = new ArrayDeque<>(List.of(List.of(start)));
        Set<String> seen = new TreeSet<>();
        while (!ways.isEmpty()) {
            List<String> way = ways.poll();
            for (String next : uses.getOrDefault(way.getLast(), Set.of())) {
                List<String> longer = new ArrayList<>(way);
                longer.add(next);
                if (next.equals(start)) {
                    return longer;
                }
                if (seen.add(next)) {
                    ways.add(longer);
                }
            }
        }
        return List.of();
    }
}
