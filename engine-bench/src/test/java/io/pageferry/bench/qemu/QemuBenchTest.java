package io.pageferry.bench.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QemuBenchTest {
    private static final ObservedMove.Seen ALIVE = new ObservedMove.Seen(30, 20, 11, null);
    private static final ObservedMove.Seen DEAD = new ObservedMove.Seen(0, 0, 0, "Kernel panic");

    private static JsonNode row(ObjectNode result, String what) {
        for (JsonNode row : result.path("rows")) {
            if (row.path("what").asText().equals(what)) {
                return row;
            }
        }
        throw new AssertionError("no row '" + what + "' in " + result);
    }

    private static Moved moved(Peer peer, double total, ObservedMove.Seen seen) {
        return new Moved(peer, total, total / 10, 0, 1 << 20, seen, null);
    }

    @Test
    void aPeerWhoseGuestDiedCountsForItsTimeOnly() {
        ObjectNode result = QemuRows.of(List.of(Peer.OURS, Peer.PLAIN), Map.of(), List.of(
                moved(Peer.OURS, 400, ALIVE), moved(Peer.PLAIN, 200, DEAD)));
        assertEquals(0.5, row(result, "QEMU plain, total time").path("ratio").asDouble());
        assertEquals(1, row(result, "QEMU plain, total time").path("broken").asInt());
        JsonNode gap = row(result, "QEMU plain, gap from outside");
        assertFalse(gap.has("value"));
        assertEquals("FAIL", gap.path("verdict").asText());
        JsonNode guest = row(result, "QEMU plain, guest alive afterwards");
        assertEquals("FAIL", guest.path("verdict").asText());
        assertEquals("0 of 1; Kernel panic", guest.path("spread").asText());
        assertEquals("OK", row(result, "ours, guest alive afterwards").path("verdict").asText());
    }

    @Test
    void theGapIsThatOfTheLivingOnly() {
        ObservedMove.Seen other = new ObservedMove.Seen(50, 20, 11, null);
        ObjectNode result = QemuRows.of(List.of(Peer.XBZRLE), Map.of(), List.of(
                moved(Peer.XBZRLE, 1, ALIVE), moved(Peer.XBZRLE, 2, DEAD),
                moved(Peer.XBZRLE, 3, other)));
        JsonNode gap = row(result, "QEMU XBZRLE, gap from outside");
        assertEquals(40, gap.path("value").asDouble());
        assertEquals(2, gap.path("moves").asInt());
        assertEquals("FAIL", row(result, "QEMU XBZRLE, guest alive afterwards")
                .path("verdict").asText());
    }

    @Test
    void aPeerThatFailedHasNoFigure() {
        ObjectNode result = QemuRows.of(List.of(Peer.PLAIN), Map.of(), List.of(
                moved(Peer.PLAIN, 200, ALIVE), Moved.failed(Peer.PLAIN, "no route")));
        for (JsonNode row : result.path("rows")) {
            assertFalse(row.has("value"), row::toString);
            assertEquals("FAIL", row.path("verdict").asText(), row::toString);
            assertTrue(row.path("spread").asText().contains("no route"), row::toString);
        }
    }

    @Test
    void whatThisQemuLacksIsSaid() {
        ObjectNode result = QemuRows.of(List.of(Peer.ZSTD), Map.of(Peer.ZSTD, "no such value"),
                List.of());
        assertEquals(1, result.path("rows").size());
        assertEquals("not in this QEMU: no such value",
                row(result, "QEMU multifd 2, zstd").path("spread").asText());
    }

    @Test
    void peersAreChosenByName() {
        assertEquals(List.of(Peer.values()), Peer.of(null));
        assertEquals(List.of(Peer.OURS, Peer.AUTO_CONVERGE), Peer.of("auto-converge,ours"));
        String words = assertThrows(IllegalArgumentException.class, () -> Peer.of("ours,rdma"))
                .getMessage();
        assertTrue(words.contains("'rdma'") && words.contains("multifd4"), words);
    }

    @Test
    void noPeerAsksForWhatQemuRefusesTogether() {
        for (Peer peer : Peer.values()) {
            assertFalse(peer.capabilities().keySet().containsAll(List.of("multifd", "xbzrle")));
            assertEquals(1L << 40, peer.parameters().path("max-bandwidth").asLong());
            assertEquals(peer.capabilities().containsKey("multifd"),
                    peer.parameters().has("multifd-channels"), peer::name);
        }
        assertTrue(Peer.ZSTD.parameters().toString().contains("\"multifd-compression\":\"zstd\""),
                Peer.ZSTD.parameters()::toString);
        assertEquals(Peer.values().length,
                Arrays.stream(Peer.values()).map(Peer::title).distinct().count());
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "private"})
    @Timeout(600)
    void aGuestIsMovedByBothAndNothingIsLeft(String ram) throws IOException {
        DemoTools tools = tools();
        List<String> before = ours();
        PrintStream nowhere = new PrintStream(PrintStream.nullOutputStream());
        Output silent = new Output(nowhere, nowhere, true);
        ObjectNode result = new QemuBench().run(Map.of("moves", "1", "memory", "128MiB",
                "working-set", "8MiB", "dirty-rate", "1MiB/s", "peers", "ours,multifd2",
                "ram", ram, "kernel", tools.kernel().toString()), silent);
        assertEquals("1 of 1", row(result, "ours, guest alive afterwards").path("spread").asText());
        assertTrue(row(result, "ours, gap from outside").path("value").asDouble() > 0);
        // Whether QEMU's guest survives is QEMU's affair; that it was moved is not.
        JsonNode theirs = row(result, "QEMU multifd 2, total time");
        assertTrue(theirs.path("value").asDouble() > 0, result::toString);
        assertEquals(before, ours());
    }

    private static DemoTools tools() {
        List<KernelProbe.Step> steps = KernelProbe.run();
        Assumptions.assumeTrue(KernelProbe.canTrackOthers(steps), KernelProbe.summary(steps));
        try {
            return DemoTools.findForTests();
        } catch (DemoTools.MissingException e) {
            Assumptions.abort(e.getMessage());
            throw new AssertionError(e);
        }
    }

    /** Memory files of this process: they go when their QEMUs go. */
    private static List<String> ours() throws IOException {
        String mark = "-" + ProcessHandle.current().pid() + "-";
        try (Stream<Path> files = Files.list(Path.of("/dev/shm"))) {
            return files.map(Path::toString).filter(name -> name.contains(mark)).sorted().toList();
        }
    }
}
