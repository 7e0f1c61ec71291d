package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Guests move over a unix socket by the two commands; its file is there as long as it should. */
class UnixMoveTest extends WithRig {
    private static final String GUEST = "workload:16MiB?rate=1MiB/s";
    private static final String ROOM = "workload:16MiB";

    private Path socket;
    private String address;

    @BeforeEach
    void name() {
        socket = folder.resolve("agent.sock");
        address = "unix:" + socket;
    }

    private Agent listen(String... more) throws IOException {
        return rig.start("", with(List.of("receive", ROOM, "--listen", address), more));
    }

    private Agent listening(String... more) throws IOException {
        Agent target = listen(more);
        assertEquals(address, target.address());
        return target;
    }

    private void assertNoFile() {
        assertFalse(Files.exists(socket, LinkOption.NOFOLLOW_LINKS), socket + " is there");
    }

    private static void assertRefused(String words, Agent agent) throws IOException {
        E2e.assertEnds(3, "refused", agent);
        String reason = agent.report().at("/error/reason").asText();
        assertTrue(reason.contains(words), agent::toString);
    }

    @Test
    void aGuestMovesAndTheFileGoes() throws IOException {
        Agent target = listening("--once");
        assertEquals("rw-------",
                PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
        E2e.assertMoved(migrate(GUEST, address, "--channels", "3"), target);
        assertNoFile();
        rig.awaitNothingLeft();
    }

    @Test
    void aLinkThatIsLostComesBack() throws IOException {
        Agent target = listening("--once", "--reconnect-window", "60s");
        try (Cable cable = new Cable(address)) {
            Agent source = rig.start("round 0", List.of("migrate", GUEST, "--to",
                    cable.address(), "--channels", "2", "--reconnect-window", "60s"));
            assertSurvivesACut(cable, source, target);
        }
    }

    @Test
    void aSecondListenerIsRefusedAndTheFirstOneServesOn() throws IOException {
        Agent target = listening("--once");
        assertRefused("cannot listen on " + socket + ": it is in use", listen());
        E2e.assertMoved(migrate(GUEST, address), target);
    }

    @Test
    void theFileGoesAtSigtermAndOneThatWasLeftIsReplaced() throws IOException {
        Agent killed = listening();
        killed.kill();
        assertTrue(Files.exists(socket));
        assertRefused("Connection refused", migrate(GUEST, address));
        Agent target = listening();
        target.signal(Signal.TERM);
        assertEquals(7, target.exit(), target::toString);
        assertNoFile();
        assertRefused("there is no such socket", migrate(GUEST, address));
    }

    @Test
    void whatStandsInTheWayIsNamedAndStays() throws IOException {
        Files.writeString(socket, "of value");
        assertRefused("something else than a socket", listen());
        assertEquals("of value", Files.readString(socket));
        Files.delete(socket);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertRefused("other users may write to " + folder, listen());
        assertNoFile();
    }

    /** Killed once it was granted; the target that took the guest in answers for it. */
    @Test
    void aDoubtIsSettledOverIt() throws IOException {
        Agent target = listening();
        ObjectNode entry = killedWhenGranted(GUEST, address);
        assertEquals(address, entry.path("peer").asText());
        Agent settle = settle(entry.path("migration").asText());
        // Its grant never left: the target refuses it for good, once the link is lost.
        assertEquals(4, settle.exit(), settle::toString);
        target.signal(Signal.TERM);
        target.exit();
        assertNoFile();
    }
}
