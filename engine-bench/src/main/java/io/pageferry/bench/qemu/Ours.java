package io.pageferry.bench.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.bench.move.FreshPair;
import io.pageferry.bench.move.WarmAgents;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Moves guests by this engine, in each of its two ways. One thread; close it. */
final class Ours implements AutoCloseable {
    private final Path folder;
    private WarmAgents agents;

    /**
     * Makes it; nothing is started yet.
     *
     * @param folder for journals and words; the caller deletes it
     */
    Ours(Path folder) {
        this.folder = folder;
    }

    /**
     * Moves a guest. The first move by agents starts them: all those of one bench have the same
     * places, so their sockets are those of the first move.
     *
     * @param from     runs
     * @param to       waits
     * @param observed follows both consoles
     * @param peer     OURS or AGENTS
     * @return what came of it
     * @throws IOException when a command or an agent did not start
     */
    Moved move(DemoQemu from, DemoQemu to, ObservedMove observed, Peer peer)
            throws IOException {
        String source = "qemu:" + from.qmp();
        String target = "qemu:" + to.qmp();
        JsonNode report;
        if (peer == Peer.AGENTS) {
            if (agents == null) {
                agents = new WarmAgents(Map.of("from", source, "onto", target),
                        List.of(), folder);
            }
            report = agents.move("from", "onto");
        } else {
            report = FreshPair.move(source, target, folder, List.of());
        }
        if (!FreshPair.isGood(report)) {
            return Moved.failed(peer, report.path("result").asText() + ": "
                    + report.at("/error/reason").asText("the digests differ"));
        }
        return new Moved(peer, report.path("totalMs").asDouble(),
                report.path("downtimeMs").asDouble(), report.path("startupMs").asDouble(),
                report.path("wireBytes").asLong(), observed.seen(), null);
    }

    @Override
    public void close() {
        if (agents != null) {
            agents.close();
        }
    }
}
