package io.pageferry.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The guest must find a page that is wrong, or its silence says nothing. */
class GuestTeethTest {
    private static final Duration LIMIT = Requirements.HANG;
    private static final int PAGE = 4096;

    @TempDir
    Path folder;

    @Test
    void aWrongPageOfEitherWriterIsFound() throws IOException {
        GuestLoad load = new GuestLoad(10, 1, 4 << 10, 2, 8 << 10, false);
        DemoMachine machine = new DemoMachine(TestMachines.tools(), load, 160L << 20, 1,
                DemoMachine.Memory.FILE, List.of());
        try (DemoQemu qemu = DemoQemu.source(machine, folder.resolve("vm"));
                QemuControl control = qemu.control();
                ConsoleFollower follower = new ConsoleFollower(List.of(qemu.console()))) {
            assertTrue(follower.await(ConsoleFollower::ready, LIMIT));
            assertTrue(follower.await(f -> f.lastTick().pages() > 2000, LIMIT));
            assertEquals(0, follower.lastTick().bad());

            spoilUntilFound(qemu, control, follower, "p1000007.25.");
            assertTrue(follower.problems().getFirst().startsWith("bad page p1000007.25."),
                    follower.problems()::toString);

            spoilUntilFound(qemu, control, follower, "t1000300.00.");
            assertTrue(follower.problems().getLast().startsWith("bad chunk"),
                    follower.problems()::toString);
            assertFalse(ConsoleLog.read(qemu.console()).problems().isEmpty());
        }
    }

    /**
     * Where the guest was just about to rewrite the page, it rightly never looks at it again, and
     * where it was in the middle of that, there is none: then it gets another, after so many pages
     * that each was due several times.
     */
    private static void spoilUntilFound(DemoQemu qemu, QemuControl control,
            ConsoleFollower follower, String head) throws IOException {
        long bad = follower.lastTick().bad();
        for (int i = 0; i < 10 && follower.lastTick().bad() == bad; i++) {
            spoil(qemu, control, head);
            long enough = follower.lastTick().pages() + 10_000;
            assertTrue(follower.await(f -> f.lastTick().bad() > bad
                    || f.lastTick().pages() > enough, LIMIT));
        }
        assertTrue(follower.lastTick().bad() > bad, "found nothing wrong with " + head);
    }

    /** Changes the last byte of every page that begins so: what a lost update would leave. */
    private static void spoil(DemoQemu qemu, QemuControl control, String head)
            throws IOException {
        byte[] wanted = head.getBytes(StandardCharsets.US_ASCII);
        control.stop();
        try (FileChannel memory = FileChannel.open(qemu.memoryFile(), StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            ByteBuffer begin = ByteBuffer.allocate(wanted.length);
            for (long at = 0; at < memory.size(); at += PAGE) {
                memory.read(begin.clear(), at);
                if (begin.flip().equals(ByteBuffer.wrap(wanted))) {
                    memory.write(ByteBuffer.wrap(new byte[] {'#'}), at + PAGE - 2);
                }
            }
        }
        control.cont();
    }
}
