package io.pageferry.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.bench.Benchmark;
import io.pageferry.agent.report.Output;
import io.pageferry.core.words.Quantity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the options that all benchmarks share: {@code --chart FILE}, {@code --link RATE}, which
 * runs it where the loopback interface has that rate, and {@code --against DIR [--turns 5]}, which
 * compares this build with the one in another checkout.
 */
public abstract class Bench implements Benchmark {
    /**
     * Of two builds that are equally fast one may look slower by chance, with spreads that do not
     * overlap: with three turns in one row of 20, with five in one of 252.
     */
    private static final int TURNS = 5;
    private static final String AGAINST = "against";
    private static final String LINK = "link";
    private static final Set<String> SHARED = Set.of("chart", AGAINST, "turns");
    private static final Set<String> KNOWN = Set.of("chart", AGAINST, "turns", LINK);

    /** For those that measure. */
    protected Bench() {
    }

    @Override
    public final ObjectNode run(Map<String, String> given, Output output) throws IOException {
        Options options = new Options(given);
        options.refuseUnknown(about(), KNOWN);
        return Chart.drawn(given, given.containsKey(AGAINST) ? compare(options, output)
                : given.containsKey(LINK) ? shaped(options, output) : measure(options, output));
    }

    private ObjectNode shaped(Options options, Output output) throws IOException {
        String rate = options.text(LINK, "");
        output.note("over loopback of " + rate + " …");
        List<String> arguments = new ArrayList<>(List.of(name()));
        arguments.addAll(options.words(Set.of(LINK, "chart")));
        return Shaped.result(Quantity.bytesPerSecond(rate) * Byte.SIZE, arguments);
    }

    private ObjectNode compare(Options options, Output output) throws IOException {
        Path other = Path.of(options.text(AGAINST, "")).toAbsolutePath().normalize();
        if (!Files.isExecutable(other.resolve(Build.LAUNCHER))) {
            throw new IllegalArgumentException("--against " + other + ": no checkout of Pageferry,"
                    + " it has no ./" + Build.LAUNCHER);
        }
        int turns = options.count("turns", TURNS, 1);
        return new Comparison(name(), output)
                .run(build("this build", checkout(), options),
                        build(other.toString(), other, options), turns);
    }

    /**
     * Measures, in this process or with others.
     *
     * @param options of this benchmark
     * @param output  for lines on the way
     * @return the rows
     * @throws IOException as of {@link #run}
     */
    protected abstract ObjectNode measure(Options options, Output output) throws IOException;

    /**
     * Returns how a build is measured: by its own {@code bench NAME} with the same options.
     *
     * @param title    names it
     * @param checkout its folder
     * @param options  of this benchmark
     * @return the build
     */
    protected Build build(String title, Path checkout, Options options) {
        return Build.byLauncher(title, checkout, name(), options.words(SHARED));
    }

    /**
     * Finds the checkout that this process runs from.
     *
     * @return its folder
     * @throws IOException where the launcher did not start it
     */
    protected Path checkout() throws IOException {
        String launcher = System.getProperty("pageferry.launcher");
        if (launcher == null) {
            throw new IOException("the checkout is not known: start it by ./" + Build.LAUNCHER);
        }
        return Path.of(launcher).getParent();
    }
}
