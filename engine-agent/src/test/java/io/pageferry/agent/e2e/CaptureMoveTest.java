package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.e2e.FlippingProxy.Wound;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Captures of moves by the commands, checked by {@code verify}. */
class CaptureMoveTest extends WithRig {
    private static final String GUEST = "workload:16MiB?rate=4MiB/s";
    private static final int COMPLETE = 0x22;

    @Test
    void whatBothSidesWriteDownFollowsTheProtocol() throws IOException {
        Agent target = capturing("20s");
        Agent source = move(target.address(), "20s", "--channels", "3");
        E2e.assertMoved(source, target);
        assertEquals(source.report().path("memoryAccess"), target.report().path("memoryAccess"));
        for (String side : List.of("source", "target")) {
            assertTrue(source.report().at("/memoryAccess/" + side).isTextual(), source::toString);
            ObjectNode verdict = verified(0, side);
            assertEquals(side, verdict.path("side").asText());
            assertEquals(4, verdict.path("connections").asInt(), verdict::toString);
            assertTrue(verdict.path("complete").asBoolean(), verdict::toString);
            assertTrue(verdict.path("frames").asLong() > 20, verdict::toString);
            assertEquals("rw-------", PosixFilePermissions.toString(
                    Files.getPosixFilePermissions(folder.resolve(side))));
        }
    }

    /** In a round, and where the epoch was begun and is begun once more. */
    @ParameterizedTest
    @ValueSource(ints = {CutAtFrame.BATCH, COMPLETE})
    void soDoesWhatIsSaidAboutALostLink(int frame) throws IOException {
        Agent target = capturing("20s");
        try (CutAtFrame cable = new CutAtFrame(target.address(), frame,
                frame == COMPLETE ? 1 : 5)) {
            Agent source = move(cable.address(), "20s");
            cable.awaitCut(source);
            cable.plug();
            E2e.assertMoved(source, target);
            assertEquals(1, source.report().path("reconnects").asInt(), source::toString);
        }
        assertTrue(verified(0, "source").path("connections").asInt() >= 4);
        verified(0, "target");
    }

    @Test
    void soDoesARefusalForEver() throws IOException {
        Agent target = capturing("20s");
        try (CutAtFrame cable = new CutAtFrame(target.address(), CutAtFrame.READY, 1)) {
            Agent source = move(cable.address(), "20s");
            cable.awaitCut(source);
            cable.plug();
            E2e.assertEnds(4, "failed", source);
            E2e.assertEnds(4, "failed", target);
        }
        verified(0, "source");
        verified(0, "target");
    }

    @Test
    void aBitThatTurnedOverOnItsWayIsNamed() throws IOException {
        Agent target = capturing("20s");
        try (FlippingProxy proxy = new FlippingProxy(target.address(), new Wound(0x12, 1, 40))) {
            E2e.assertMoved(move(proxy.address(), "20s"), target);
            assertEquals(1, proxy.flipped());
        }
        verified(0, "source");
        ObjectNode verdict = verified(4, "target");
        assertFalse(verdict.path("match").asBoolean());
        assertEquals("body-checksum", verdict.at("/violations/0/rule").asText());
        assertEquals("source", verdict.at("/violations/0/from").asText());
        assertEquals(1, verdict.path("violations").size(), verdict::toString);
    }

    @Test
    void whatIsLeftOfAKilledAgentIsChecked() throws IOException {
        Agent target = capturing("1s");
        Agent source = move(target.address(), "1s");
        source.awaitState("precopy");
        target.awaitState("receiving");
        target.kill();
        source.exit();
        assertFalse(verified(0, "target").path("complete").asBoolean());
        assertTrue(verified(0, "source").path("complete").asBoolean());
    }

    @Test
    void aFileThatIsThereStays() throws IOException {
        Files.createFile(folder.resolve("source"));
        Agent refused = move("127.0.0.1:9", "0s");
        E2e.assertEnds(3, "refused", refused);
        assertTrue(refused.words().contains("is there already"), refused::toString);
        assertEquals(0, Files.size(folder.resolve("source")));
    }

    @Test
    void aFullDiskEndsTheCaptureAndNotTheMove() throws IOException {
        try (FullDisk disk = FullDisk.mount(folder.resolve("small"))) {
            Agent target = receive(GUEST.substring(0, GUEST.indexOf('?')));
            Agent source = migrate(GUEST, target.address(), "--capture",
                    disk.folder().resolve("source").toString());
            E2e.assertMoved(source, target);
            assertTrue(source.words().contains("is incomplete (No space left on device)"),
                    source::toString);
            assertFalse(verified(0, "small/source").path("complete").asBoolean());
        }
    }

    private Agent capturing(String window) throws IOException {
        return receive(GUEST.substring(0, GUEST.indexOf('?')), "--reconnect-window", window,
                "--capture", folder.resolve("target").toString());
    }

    private Agent move(String to, String window, String... more) throws IOException {
        return migrate(GUEST, to, with(List.of("--reconnect-window", window, "--capture",
                folder.resolve("source").toString()), more).toArray(String[]::new));
    }

    private ObjectNode verified(int exit, String side) throws IOException {
        Path capture = folder.resolve(side);
        Agent verify = rig.command(List.of("verify", capture.toString()));
        assertEquals(exit, verify.exit(), verify::toString);
        ObjectNode verdict = verify.events().getLast();
        assertEquals("capture-verified", verdict.path("event").asText());
        assertEquals(capture.toString(), verdict.path("file").asText());
        return verdict;
    }
}
