package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.disk.freeze.DiskWriter;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.block.LoopDisk;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Disks are moved while file systems on them are written, and in the ways that go wrong. */
@Tag("full")
class HotDiskTest extends WithRig {
    private static final int RUNS = Draw.FULL ? 13 : 1;
    private static final long EXT4_BYTES = 64L << 20;
    private static final long XFS_BYTES = 320L << 20;
    private static final int FIRST_SECTOR = 2048;
    /** A disk on a busy host takes its time to flush. */
    private static final String[] PATIENT = {"--max-downtime", "2s", "--after", "keep"};

    @BeforeEach
    void needTracking() {
        Requirements.blockTracking();
    }

    @Test
    void aMovedDiskWithExt4IsTheFrozenOne() throws Exception {
        for (int i = 0; i < RUNS; i++) {
            moves("ext4", EXT4_BYTES, false, i);
        }
    }

    @Test
    void aMovedDiskWithAPartitionOfExt4IsTheFrozenOne() throws Exception {
        for (int i = 0; i < RUNS; i++) {
            moves("ext4", EXT4_BYTES, true, i);
        }
    }

    @Test
    void aMovedDiskWithXfsIsTheFrozenOne() throws Exception {
        for (int i = 0; i < RUNS; i++) {
            moves("xfs", XFS_BYTES, false, i);
        }
    }

    @Test
    void aMovedDiskWithAPartitionOfXfsIsTheFrozenOne() throws Exception {
        for (int i = 0; i < RUNS; i++) {
            moves("xfs", XFS_BYTES, true, i);
        }
    }

    /** The page cache of the source's device knows nothing of what is mounted from it. */
    private static long differing(LoopDisk source, LoopDisk target) throws IOException {
        try (FileChannel one = LoopDisk.direct(source.device());
                FileChannel other = LoopDisk.direct(target.device())) {
            return LoopDisk.differing(one, other, source.found().pages());
        }
    }

    private void moves(String type, long bytes, boolean partition, int run) throws Exception {
        long margin = partition ? (long) FIRST_SECTOR * 512 : 0;
        try (LoopDisk source = LoopDisk.make(bytes + margin);
                LoopDisk target = LoopDisk.make(bytes + margin)) {
            String node = partition ? source.partition(FIRST_SECTOR, (int) (bytes / 512))
                    : source.device();
            Path point = source.mount(node, type);
            try (DiskWriter writer = new DiskWriter(point, Requirements.seed() + run)) {
                Agent receiver = receive("disk:" + target.device());
                Agent sender = migrate("disk:" + source.device(), receiver.address(), PATIENT);
                try {
                    long safe = writer.safe();
                    E2e.assertMoved(sender, receiver);
                    assertEquals("bpf", sender.report().path("tracker").asText());
                    assertTrue(LoopDisk.isFrozen(point), sender::toString);
                    assertTrue(sender.words().contains("fsfreeze -u " + point), sender.words());
                    assertEquals(0, differing(source, target));
                    System.out.println(type + (partition ? " on a partition" : "") + ": downtime "
                            + sender.report().path("downtimeMs") + " ms, "
                            + sender.report().path("rounds").size() + " rounds");
                    if (type.equals("ext4") && !partition) {
                        assertTrue(DiskWriter.ledger(target.mountMade(target.device())) >= safe);
                    }
                } finally {
                    LoopDisk.thaw(point);
                }
            }
        }
    }

    /** Small, with nobody who writes, and in a folder that is frozen with it. */
    private static final class Quiet implements AutoCloseable {
        private final LoopDisk source = LoopDisk.make(16L << 20);
        private final LoopDisk target = LoopDisk.make(16L << 20);
        private final Path point = source.mount(source.device(), "ext4");

        Quiet() throws IOException {
            Files.writeString(point.resolve("file"), "written");
        }

        String from() {
            return "disk:" + source.device();
        }

        String into() {
            return "disk:" + target.device();
        }

        @Override
        public void close() throws IOException {
            LoopDisk.thaw(point);
            target.close();
            source.close();
        }
    }

    @Test
    void anAgentThatIsKilledInTheFreezeLeavesNothingFrozen() throws Exception {
        try (Quiet disks = new Quiet()) {
            Agent receiver = receive(disks.into());
            Agent sender = rig.start("paused", List.of("migrate", disks.from(), "--to",
                    receiver.address()));
            sender.awaitHold("paused");
            assertTrue(LoopDisk.isFrozen(disks.point));
            sender.kill();
            Poll.until(() -> !LoopDisk.isFrozen(disks.point), () -> "it stays frozen");
            E2e.assertEnds(4, "failed", receiver);
        }
    }

    /** Nobody thaws what the target may run, but an operator who says that it does not. */
    @Test
    void whatWasGrantedStaysFrozenUntilItIsSettled() throws Exception {
        try (Quiet disks = new Quiet()) {
            Agent receiver = receive(disks.into());
            String migration = killedWhenGranted(disks.from(), receiver.address())
                    .path("migration").asText();
            assertTrue(LoopDisk.isFrozen(disks.point));
            Agent settled = settle(migration, "--source", "--target-is-fenced");
            assertEquals(4, settled.exit(), settled::toString);
            assertFalse(LoopDisk.isFrozen(disks.point), settled::toString);
        }
    }

    @Test
    void aDiskThatWasCopiedGoesOn() throws Exception {
        try (Quiet disks = new Quiet()) {
            Agent receiver = receive(disks.into());
            Path told = folder.resolve("told");
            Agent sender = migrate(disks.from(), receiver.address(), "--after", "thaw",
                    "--as-copy", "--verify", "full", "--quiesce", "echo quiet > " + told);
            E2e.assertMoved(sender, receiver);
            assertFalse(LoopDisk.isFrozen(disks.point), sender::toString);
            assertEquals("quiet", Files.readString(told).strip());
        }
    }

    /** And with whom the agent would hang when it is frozen. */
    @Test
    void whatWouldFreezeTheAgentIsRefused() throws Exception {
        try (Quiet disks = new Quiet()) {
            Agent receiver = receive(disks.into());
            Agent own = migrate(disks.from(), receiver.address(), "--state-dir",
                    disks.point.resolve("state").toString());
            E2e.assertEnds(3, "refused", own);
            assertTrue(own.report().at("/error/reason").asText().contains("state directory"),
                    own::toString);
            Agent cold = migrate(disks.from() + "?tracker=none", receiver.address());
            E2e.assertEnds(3, "refused", cold);
            assertTrue(cold.report().at("/error/reason").asText().contains("is mounted on"),
                    cold::toString);
            Agent failed = migrate(disks.from(), receiver.address(), "--quiesce", "exit 3");
            E2e.assertEnds(4, "failed", failed);
            assertTrue(failed.report().at("/error/reason").asText().contains("ended with 3"),
                    failed::toString);
            assertFalse(LoopDisk.isFrozen(disks.point));
        }
    }
}
