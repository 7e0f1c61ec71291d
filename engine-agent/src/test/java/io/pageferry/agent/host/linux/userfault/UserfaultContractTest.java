package io.pageferry.agent.host.linux.userfault;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.WatchedTracker;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.tracker.TrackerContract;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;

/** The kernel's tracking of this process, held to what every tracker must do. */
class UserfaultContractTest {
    private static final int PAGE = 4096;
    private static final int AT = 1040;
    private static final long SIZE = (long) TrackerContract.PAGES * PAGE;

    private static void needTracking() {
        List<KernelProbe.Step> steps = KernelProbe.run();
        Assumptions.assumeTrue(KernelProbe.canTrackSelf(steps), KernelProbe.summary(steps));
    }

    /** Nobody tells that its storage was taken away. */
    @Nested
    class OfMemfd extends TrackerContract {
        @Override
        protected Tracked open() throws LinuxException {
            needTracking();
            return new Mapped(SharedMemory.create("contract", SIZE), false);
        }
    }

    /** The kernel tells of every change but a store. */
    @Nested
    class OfNamedFile extends TrackerContract {
        @TempDir(factory = SharedMemoryFolder.class)
        private Path folder;

        @Override
        protected Tracked open() throws IOException {
            needTracking();
            return named(folder);
        }
    }

    private static Mapped named(Path folder) throws IOException {
        Path file = folder.resolve("ram");
        try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
            made.setLength(SIZE);
        }
        return new Mapped(SharedMemory.openReadWrite(file), false);
    }

    /** On tmpfs, as guests have it. */
    static final class SharedMemoryFolder implements TempDirFactory {
        @Override
        public Path createTempDirectory(AnnotatedElementContext element,
                ExtensionContext context) throws IOException {
            return Files.createTempDirectory(Path.of("/dev/shm"), "pageferry-contract-");
        }
    }

    @Test
    void aWriteByDescriptorToANamedFileIsSentAgain(
            @TempDir(factory = SharedMemoryFolder.class) Path folder) throws Exception {
        needTracking();
        assertSeesWriteByDescriptor(named(folder));
    }

    @Test
    void aWriteByDescriptorToAMemfdIsSentAgainWhereItIsLookedFor() throws Exception {
        needTracking();
        assertSeesWriteByDescriptor(new Mapped(SharedMemory.create("contract", SIZE), true));
    }

    private static void assertSeesWriteByDescriptor(Mapped guest) throws Exception {
        try (guest; DirtyBitmap dirty = new DirtyBitmap(TrackerContract.PAGES)) {
            guest.tracker().start();
            guest.tracker().harvest(dirty);
            guest.send(5);
            dirty.clearAll();
            guest.writeByDescriptor(5);
            guest.tracker().harvest(dirty);
            assertTrue(dirty.isMarked(5));
        }
    }

    /** Memory of this process, all of it with storage. */
    private static final class Mapped implements TrackerContract.Tracked {
        private final Arena arena = Arena.ofShared();
        private final SharedMemory file;
        private final MemorySegment memory;
        private final MappedRegions source;
        private final WatchedTracker tracker;
        private final MemorySegment copy = arena.allocate(PAGE);

        Mapped(SharedMemory file, boolean deaf) throws LinuxException {
            this.file = file;
            memory = file.map(0, SIZE, arena);
            SharedMemory.populate(memory);
            source = new MappedRegions(RegionTable.single("ram", SIZE),
                    List.of(new RegionFiles.Part(file, 0)));
            tracker = (WatchedTracker) source.watched(UserfaultTracker.ofSelf(
                    List.of(new UserfaultTracker.Range(memory.address(), SIZE, 0))),
                    deaf);
        }

        @Override
        public DirtyTracker tracker() {
            return tracker;
        }

        @Override
        public void write(long page, int number) {
            memory.set(JAVA_INT, page * PAGE + AT, number);
        }

        @Override
        public void discardAndRead(long page) {
            try {
                file.punchHole(page * PAGE, PAGE);
            } catch (LinuxException e) {
                throw new UncheckedIOException(e);
            }
            assertEquals(0, memory.get(JAVA_INT, page * PAGE + AT));
        }

        void writeByDescriptor(long page) throws IOException {
            try (FileChannel channel = FileChannel.open(file.procPath(),
                    StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}), page * PAGE + AT);
            }
        }

        @Override
        public int send(long page) {
            source.read(page, 1, copy, 0);
            int number = copy.get(JAVA_INT, AT);
            if (number == 0) {
                tracker.sentZero(page);
            } else {
                tracker.sent(page, copy, 0);
            }
            return number;
        }

        @Override
        public void close() {
            tracker.close();
            source.close();
            arena.close();
        }
    }
}
