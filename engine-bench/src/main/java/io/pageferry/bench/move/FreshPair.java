package io.pageferry.bench.move;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.demo.AgentProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One move by the commands themselves: a fresh {@code receive} and a fresh {@code migrate}. */
public final class FreshPair {
    private FreshPair() {
    }

    /**
     * What is moved where.
     *
     * @param from the guest's URI at the source
     * @param to   the guest's URI at the target
     * @param more further options of {@code receive}
     */
    public record Ends(String from, String to, List<String> more) { }

    /** Does something to a target that listens. */
    @FunctionalInterface
    public interface Beside {
        /**
         * Begins with it.
         *
         * @param address of the target, HOST:PORT
         * @param pid     its process
         * @throws IOException when it cannot be done
         */
        void begin(String address, long pid) throws IOException;
    }

    /**
     * Moves a guest.
     *
     * @param from   the guest's URI at the source
     * @param to     the guest's URI at the target
     * @param folder for journals and for what the agents log
     * @param more   further options of {@code migrate}
     * @return the source's report
     * @throws IOException when an agent did not start, or ended without a report
     */
    public static JsonNode move(String from, String to, Path folder, List<String> more)
            throws IOException {
        return move(new Ends(from, to, List.of()), folder, more, (address, pid) -> { });
    }

    /**
     * Moves a guest while something else goes on.
     *
     * @param ends   what is moved where
     * @param folder for journals and for what the agents log
     * @param more   further options of {@code migrate}
     * @param beside begins before the source is started
     * @return the source's report
     * @throws IOException when an agent did not start, or ended without a report
     */
    public static JsonNode move(Ends ends, Path folder, List<String> more, Beside beside)
            throws IOException {
        Path words = folder.resolve("agents.log");
        List<String> shared = List.of("--json", "--progress", "none", "--state-dir",
                folder.resolve("state").toString());
        List<String> receive = new ArrayList<>(List.of("receive", ends.to(), "--listen",
                "127.0.0.1:0", "--once"));
        if (!ends.to().startsWith("disk:")) {
            receive.add("--prealloc");
        }
        receive.addAll(ends.more());
        receive.addAll(shared);
        try (AgentProcess target = AgentProcess.start(List.of(), receive, words)) {
            JsonNode listening = target.await("listening", event -> { });
            if (listening == null) {
                throw new IOException("the target agent did not listen: " + target.words());
            }
            String address = listening.path("address").asText();
            beside.begin(address, target.pid());
            List<String> migrate = new ArrayList<>(List.of("migrate", ends.from(), "--to",
                    address));
            migrate.addAll(more);
            migrate.addAll(shared);
            try (AgentProcess source = AgentProcess.start(List.of(), migrate, words)) {
                JsonNode report = source.await("report", event -> { });
                if (report == null || !isGood(report)) {
                    // It may have had no page of it, and would wait for another guest.
                    target.stop();
                }
                target.exitCode();
                if (report == null) {
                    throw new IOException("the source agent ended without a report: "
                            + source.words());
                }
                return report;
            }
        }
    }

    /**
     * Judges a report.
     *
     * @param report a source's
     * @return whether the guest moved and both sides hold the same digest
     */
    public static boolean isGood(JsonNode report) {
        return report.path("result").asText().equals("completed")
                && report.at("/verification/match").asBoolean();
    }
}
