package io.pageferry.bench.house;

import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * One rule about the sources.
 *
 * @param name what it demands, in a few words
 * @param check gives each breach as {@code place: what}
 */
record Rule(String name, Function<List<Source>, List<String>> check) {

    /** The pattern stands in the code of main sources only where the predicate allows it. */
    static Rule only(String name, String pattern, Predicate<Source> allowed) {
        Pattern compiled = Pattern.compile(pattern);
        return new Rule(name, sources -> sources.stream()
                .filter(Source::isMain)
                .filter(allowed.negate())
                .flatMap(source -> source.linesWith(compiled).stream())
                .toList());
    }

    List<String> breaches(List<Source> sources) {
        return check.apply(sources);
    }

    @Override
    public String toString() {
        return name;
    }
}
