package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.disk.freeze.DiskWriter;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.block.LoopDisk;
import java.io.IOException;
import java.nio.channels.FileChannel;
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
}
