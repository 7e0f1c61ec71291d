package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;

/** A journal that nobody settled is of a guest whose place is another one's by now. */
class OldJournalTest extends WithRig {
    private static final String GUEST = "workload:8MiB?set=4MiB&rate=0";

    private Path image;
    private Path old;

    /** Agent and guard die while the guest is loaded, and another one comes to the same path. */
    private UUID abandoned(String newerState) throws IOException {
        image = folder.resolve("image");
        old = folder.resolve("old");
        Agent first = receive("image:" + image, "--state-dir", old.toString());
        Agent source = rig.start("round 0", List.of("migrate", GUEST, "--to", first.address()));
        source.awaitHold("round 0");
        StateDirectory directory = StateDirectory.open(old);
        UUID migration = directory.all(line -> { }).getFirst().header().migration();
        long guard = rig.guardOf(first);
        Processes.signal(guard, Processes.startTicks(guard).orElseThrow(), Signal.KILL);
        first.kill();
        source.goOn();
        E2e.assertEnds(4, "failed", source);
        try (FileJournal left = directory.takeOver(migration, Side.TARGET).orElseThrow()) {
            left.write(new JournalRecord(JournalState.PREPARED, 1, true, ""));
        }
        Agent newer = receive("image:" + image, "--state-dir",
                folder.resolve(newerState).toString());
        E2e.assertMoved(migrate(GUEST, newer.address()), newer);
        assertUntouched();
        return migration;
    }

    private void assertUntouched() throws IOException {
        assertTrue(Files.exists(image), "the newer image is gone");
        Agent verify = rig.command(List.of("image", "verify", image.toString()));
        assertEquals(0, verify.exit(), verify::toString);
    }

    @Test
    void settlingItLeavesTheNewerGuestAlone() throws IOException {
        UUID migration = abandoned("old");
        Agent settle = rig.start("", List.of("settle", migration.toString(), "--state-dir",
                old.toString()));
        assertEquals(4, settle.exit(), settle::toString);
        assertUntouched();
        assertTrue(StateDirectory.open(old).find(migration, Side.TARGET).orElseThrow()
                .ownership().settled());
        rig.awaitNothingLeft();
    }

    /** Its state directory knows nothing of the newer one; the image itself does. */
    @Test
    void answeringByItLeavesTheNewerGuestAlone() throws IOException {
        UUID migration = abandoned("new");
        Agent other = receive("image:" + folder.resolve("other"), "--state-dir", old.toString());
        try (TransportClient client = new TransportClient(
                TransportOptions.defaults(SystemNanoClock.INSTANCE))) {
            assertInstanceOf(Message.Refused.class, Caller.ask(client, other,
                    new Message.Status(migration, 1)), other::toString);
        }
        assertUntouched();
        other.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", other);
        Agent again = receive("image:" + image, "--state-dir", old.toString());
        assertUntouched();
        again.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", again);
        assertUntouched();
        rig.awaitNothingLeft();
    }
}
