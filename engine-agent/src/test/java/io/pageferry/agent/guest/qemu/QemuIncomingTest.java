package io.pageferry.agent.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.qmp.FakeMonitor;
import io.pageferry.agent.guest.qemu.qmp.MonitorAddress;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.agent.guest.room.HostRoom;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A loaded QEMU that says no to its grant, or does not end: what may be said of it then. */
class QemuIncomingTest {
    private static final Pattern COMMAND = Pattern.compile("\"execute\":\"([^\"]+)\"");
    private static final String LOCK = "Failed to get \\\"write\\\" lock";
    private static final String OTHER = "the disk is gone";

    @TempDir
    Path folder;

    private Stranger process;
    private FakeMonitor monitor;
    private QemuIncoming guest;
    private int ends;

    /** What {@code cont} is refused with, and what is heard before. */
    private volatile String refusal = "";
    private volatile boolean unauthorised;
    private GuestException alive;

    @BeforeEach
    void load() throws IOException {
        process = Stranger.start("sleep", "1000");
        monitor = new FakeMonitor(folder.resolve("qmp"), this::serve);
        guest = new QemuIncoming(new QemuProcess(
                new MonitorAddress.Socket(monitor.path()), process.pid(),
                Processes.startTicks(process.pid()).orElseThrow(),
                SocketFolder.draw(process.pid())), this::end,
                new HostRoom().claim(), new QemuIncoming.Found(
                QemuControl.connect(monitor.path()), null, new TargetSettings(Map.of(), 0)));
        // What came of it does not matter: from now on it is loaded, as far as anybody knows.
        assertThrows(GuestException.class, () -> guest.loadState(new byte[1]));
    }

    @AfterEach
    void close() throws IOException {
        guest.close();
        monitor.close();
        process.close();
    }

    private void end(QemuControl qemu) throws GuestException {
        ends++;
        if (alive != null) {
            throw alive;
        }
    }

    private void serve(FakeMonitor.Client client) throws IOException {
        client.say(FakeMonitor.GREETING);
        for (String line = client.in().readLine(); line != null; line = client.in().readLine()) {
            Matcher command = COMMAND.matcher(line);
            Matcher id = FakeMonitor.ID.matcher(line);
            if (!command.find() || !id.find()) {
                throw new IOException(line);
            }
            String no = switch (command.group(1)) {
                case "cont" -> refusal;
                case "migrate-incoming" -> "not in this test";
                default -> "";
            };
            if (unauthorised && command.group(1).equals("cont")) {
                client.say("{\"timestamp\": {\"seconds\": 1, \"microseconds\": 1},"
                        + " \"event\": \"RESUME\"}\n");
            }
            client.say("{\"id\": " + id.group(1) + (no.isEmpty() ? ", \"return\": {}}\n"
                    : ", \"error\": {\"class\": \"GenericError\", \"desc\": \"" + no
                    + "\"}}\n"));
        }
    }

    private GuestException refused(String with) {
        refusal = with;
        return assertThrows(GuestException.class, guest::resume);
    }

    /** QEMU takes all its locks before the first instruction. */
    @Test
    void aLockThatIsHeldProvesThatItNeverRanHere() {
        assertTrue(refused(LOCK).neverRan());
        assertEquals(1, ends);
    }

    @Test
    void aLockThatIsHeldProvesItAlsoOfOneThatStrayed() {
        unauthorised = true;
        assertTrue(refused(LOCK).neverRan());
        assertEquals(1, ends);
    }

    @Test
    void anotherNoProvesNothingOfOneThatStrayed() {
        unauthorised = true;
        GuestException refused = refused(OTHER);
        assertFalse(refused.neverRan());
        assertTrue(refused.getMessage().contains(OTHER), refused::getMessage);
        assertEquals(0, ends, "whoever looks at it finds it as it is");
    }

    @Test
    void anotherNoProvesItOfOneThatStoodStill() {
        assertTrue(refused(OTHER).neverRan());
        assertEquals(1, ends);
    }

    @Test
    void whatDoesNotEndMayRunYet() {
        alive = new GuestException(ErrorCode.GUEST_FAILED, "it does not end", "kill it");
        assertEquals(alive, assertThrows(GuestException.class, guest::discardOrThrow));
        guest.discard();
        assertEquals(2, ends);
        GuestException refused = refused(LOCK);
        assertEquals(alive, refused);
        assertFalse(refused.neverRan());
    }
}
