package io.pageferry.agent.host.linux.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.LoopDisk;
import io.pageferry.agent.host.linux.bpf.BlockTracker.Tracked;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.testing.tracker.TrackerContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.Nested;

/** The tracking of disks, held to what every tracker must do. */
class BlockContractTest {
    private static final int PAGE = LoopDisk.PAGE;

    @Nested
    class OfADisk extends TrackerContract {
        @Override
        protected Tracked open() throws IOException {
            Requirements.blockTracking();
            return new Disks(PAGES);
        }
    }

    @Nested
    @Sampled
    class OfTwoDisks extends TrackerContract {
        @Override
        protected Tracked open() throws IOException {
            Requirements.blockTracking();
            return new Disks(PAGES - 201, 201);
        }
    }

    /** It begins inside a page of its disk. */
    @Nested
    @Sampled
    class OfAPartition extends TrackerContract {
        @Override
        protected Tracked open() throws IOException {
            Requirements.blockTracking();
            return new Disks();
        }
    }

    private static final class Disks implements TrackerContract.Tracked {
        private final List<AutoCloseable> opened = new ArrayList<>();
        private final List<String> nodes = new ArrayList<>();
        private final List<FileChannel> channels = new ArrayList<>();
        private final List<Tracked> tracked = new ArrayList<>();
        private final ByteBuffer page = LoopDisk.aligned(PAGE);
        private BlockTracker tracker;

        /** Disks of so many pages, or one partition where there is none. */
        Disks(int... sizes) throws IOException {
            boolean made = false;
            try {
                long first = 0;
                for (int size : sizes) {
                    LoopDisk disk = LoopDisk.make((long) size * PAGE);
                    opened.addFirst(disk);
                    add(disk.device(), first);
                    first += size;
                }
                if (sizes.length == 0) {
                    LoopDisk disk = LoopDisk.make(1 << 22);
                    opened.addFirst(disk);
                    add(disk.partition(63, TrackerContract.PAGES * 8), 0);
                }
                tracker = BlockTracker.of(BlockDevices.ofHost(), tracked);
                opened.addFirst(tracker);
                made = true;
            } finally {
                if (!made) {
                    close();
                }
            }
        }

        private void add(String node, long first) throws IOException {
            FileChannel channel = LoopDisk.direct(node);
            opened.addFirst(channel);
            nodes.add(node);
            channels.add(channel);
            tracked.add(new Tracked(LoopDisk.find(node), first));
        }

        @Override
        public DirtyTracker tracker() {
            return tracker;
        }

        private int diskOf(long global) {
            return tracked.size() > 1 && global >= tracked.get(1).firstPage() ? 1 : 0;
        }

        private long offset(long global) {
            return (global - tracked.get(diskOf(global)).firstPage()) * PAGE;
        }

        @Override
        public void write(long global, int number) {
            try {
                page.clear().putInt(0, number);
                channels.get(diskOf(global)).write(page, offset(global));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void discardAndRead(long global) {
            try {
                LoopDisk.run("blkdiscard", "--offset", Long.toString(offset(global)),
                        "--length", Integer.toString(PAGE), nodes.get(diskOf(global)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            assertEquals(0, send(global));
        }

        @Override
        public int send(long global) {
            try {
                channels.get(diskOf(global)).read(page.clear(), offset(global));
                return page.getInt(0);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            CloseHelper.closeAll(opened);
        }
    }
}
