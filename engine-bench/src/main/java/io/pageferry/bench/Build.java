package io.pageferry.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures one build once, by processes of its own.
 *
 * @param title   names it in rows
 * @param measure to be called again for each turn
 */
public record Build(String title, Measure measure) {
    /** Starts Pageferry, in a checkout. */
    static final String LAUNCHER = "pageferry";

    /** Measures a build. */
    @FunctionalInterface
    public interface Measure {
        /**
         * Runs the benchmark once.
         *
         * @return rows as {@code bench --json} has them
         * @throws IOException where there are none, with the reason
         */
        List<JsonNode> rows() throws IOException;
    }

    /** A build whose own benchmark of that name is run; its launcher builds on first use. */
    static Build byLauncher(String title, Path checkout, String name, List<String> options) {
        List<String> command = new ArrayList<>(List.of(
                checkout.resolve(LAUNCHER).toString(), "bench", name));
        command.addAll(options);
        command.add("--json");
        return new Build(title, () -> BenchProcess.rows(command));
    }
}
