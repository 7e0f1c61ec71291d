package io.pageferry.agent.host.disk.freeze;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.LoopDisk;
import io.pageferry.agent.host.linux.bpf.BlockTracker;
import io.pageferry.agent.host.linux.bpf.BlockTracker.Tracked;
import io.pageferry.core.dirty.DirtyBitmap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Copies disks that are written all the time, round by round, and compares when they stand still.
 * {@code mvn verify -Dtest=HotCopyTest -Dsurefire.failIfNoSpecifiedTests=false
 * -Dpageferry.full=true} copies each 25 times.
 */
@Sampled
class HotCopyTest {
    private static final int RUNS = Boolean.getBoolean("pageferry.full") ? 25 : 1;
    private static final int PAGE = LoopDisk.PAGE;
    private static final int RUN_PAGES = 256;
    private static final int TRIES = 6;
    private static final int EXT4_BYTES = 64 << 20;
    private static final int XFS_BYTES = 320 << 20;
    private static final int FIRST_SECTOR = 2048;

    /** How a copy is made, and spoiled: the comparison must find what is spoiled. */
    private record Way(long rounds, int dropped, boolean buffered) {
        private static final Way RIGHT = new Way(30, 0, false);
    }

    @Test
    void aCopyOfADiskWithExt4IsEqual() throws Exception {
        for (int i = 0; i < RUNS; i++) {
            try (LoopDisk disk = LoopDisk.make(EXT4_BYTES)) {
                assertEquals(0, differing(disk, disk.device(), "ext4", Way.RIGHT, i));
            }
        }
    }

    /** The whole disk is tracked and copied, of which only a partition is written. */
    @Test
    void aCopyOfADiskWithXfsOnAPartitionIsEqual() throws Exception {
        for (int i = 0; i < RUNS; i++) {
            try (LoopDisk disk = LoopDisk.make(XFS_BYTES + (2L << 20))) {
                String part = disk.partition(FIRST_SECTOR, XFS_BYTES / 512);
                assertEquals(0, differing(disk, part, "xfs", Way.RIGHT, i));
            }
        }
    }

    @Test
    void aTrackerThatDropsEveryThousandthMarkIsFound() throws Exception {
        long found = 0;
        // What was dropped may be written, and so marked, again.
        for (int i = 0; i < TRIES && found == 0; i++) {
            try (LoopDisk disk = LoopDisk.make(EXT4_BYTES)) {
                found = differing(disk, disk.device(), "ext4", new Way(60, 1000, false), i);
            }
        }
        assertTrue(found > 0);
    }

    @Test
    void readsThroughTheCacheOfTheDevicesFileAreFound() throws Exception {
        try (LoopDisk disk = LoopDisk.make(EXT4_BYTES)) {
            assertTrue(differing(disk, disk.device(), "ext4", new Way(60, 0, true), 0) > 0);
        }
    }

    /** Returns how many pages of the frozen disk and its copy differ. */
    private static long differing(LoopDisk disk, String node, String type, Way way, int run)
            throws Exception {
        Requirements.blockTracking();
        Path point = disk.mount(node, type);
        long pages = disk.found().pages();
        try (LoopDisk target = LoopDisk.make(pages * PAGE);
                DiskWriter writer = new DiskWriter(point, Requirements.seed() + run);
                BlockTracker tracker = BlockTracker.of(BlockDevices.ofHost(),
                        List.of(new Tracked(disk.found(), 0)));
                FileChannel in = way.buffered() ? FileChannel.open(Path.of(disk.device()),
                        StandardOpenOption.READ) : LoopDisk.direct(disk.device());
                FileChannel out = LoopDisk.direct(target.device());
                DirtyBitmap dirty = new DirtyBitmap(pages)) {
            tracker.start();
            dirty.markAll();
            long sent = copy(in, out, dirty);
            for (long round = 1; round <= way.rounds() || sent < 30L * way.dropped(); round++) {
                tracker.harvest(dirty);
                drop(dirty, way.dropped(), round);
                sent += copy(in, out, dirty);
            }
            long safe = writer.safe();
            long differing = last(disk, tracker, dirty, in, out);
            System.out.println(sent + " pages in rounds, " + safe + " writes promised");
            assertEquals(0, tracker.failures());
            if (differing == 0 && type.equals("ext4")) {
                assertTrue(DiskWriter.ledger(target.mountMade(target.device())) >= safe);
            }
            return differing;
        }
    }

    private static long last(LoopDisk disk, BlockTracker tracker, DirtyBitmap dirty,
            FileChannel in, FileChannel out) throws IOException {
        long deadline = System.nanoTime() + Requirements.HANG.toNanos();
        try (Freezer freezer = Freezer.open(BlockDevices.ofHost(),
                List.of(disk.found().number()));
                FileChannel direct = LoopDisk.direct(disk.device())) {
            freezer.sync(deadline);
            long began = System.nanoTime();
            freezer.freeze(deadline);
            long frozen = System.nanoTime();
            tracker.harvestPaused(dirty);
            long last = copy(in, out, dirty);
            long ended = System.nanoTime();
            freezer.requireFrozen(deadline);
            long differing = LoopDisk.differing(direct, out, dirty.pages());
            System.out.printf("freeze %.1f ms, last round of %d pages %.1f ms; %d of %d differ%n",
                    (frozen - began) / 1e6, last, (ended - frozen) / 1e6, differing,
                    dirty.pages());
            return differing;
        }
    }

    private static void drop(DirtyBitmap dirty, int every, long round) {
        long number = round;
        for (long at = dirty.nextMarked(0); every > 0 && at < dirty.pages();
                at = dirty.nextMarked(at + 1)) {
            if (++number % every == 0) {
                dirty.clear(at);
            }
        }
    }

    private static long copy(FileChannel in, FileChannel out, DirtyBitmap dirty)
            throws IOException {
        ByteBuffer run = LoopDisk.aligned(RUN_PAGES * PAGE);
        long copied = 0;
        for (long at = dirty.nextMarked(0); at < dirty.pages(); at = dirty.nextMarked(at)) {
            int count = (int) Math.min(RUN_PAGES, dirty.nextUnmarked(at) - at);
            dirty.clearRange(at, count);
            LoopDisk.read(in, run.clear().limit(count * PAGE), at * PAGE);
            out.write(run.flip(), at * PAGE);
            copied += count;
        }
        return copied;
    }

    private static void read(FileChannel in, ByteBuffer into, long at) throws IOException {
        while (into.hasRemaining()) {
            if (in.read(into, at + into.position()) < 0) {
                throw new IOException("the disk ends at " + at);
            }
        }
    }
}
