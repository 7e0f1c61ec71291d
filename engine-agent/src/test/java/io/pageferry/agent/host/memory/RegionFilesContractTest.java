package io.pageferry.agent.host.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.memory.PageSourceContract;
import io.pageferry.core.testing.memory.PageStoreContract;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contracts of memory, kept by files that are mapped and by files that are not. */
class RegionFilesContractTest {
    private static final long LOW = 80;
    private static final long HIGH = 9;

    @TempDir
    private Path folder;

    /** One file, which its guest has mapped. */
    private static final class Files implements AutoCloseable {
        private final Arena arena = Arena.ofConfined();
        private final SharedMemory file;
        private final MemorySegment guest;
        private final RegionFiles regions;

        Files(MemoryAccess access) {
            try {
                file = SharedMemory.create("contract", PageGeometry.bytesOf(LOW + HIGH));
                guest = file.map(0, file.size(), arena);
                regions = open(access);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        private RegionFiles open(MemoryAccess access) throws IOException {
            RegionTable table = new RegionTable(List.of(
                    new Region(0, "low", 0, PageGeometry.bytesOf(LOW), PageGeometry.PAGE_SIZE),
                    new Region(1, "high", 1L << 32, PageGeometry.bytesOf(HIGH),
                            PageGeometry.PAGE_SIZE)));
            List<RegionFiles.Part> parts = List.of(part(0), part(PageGeometry.bytesOf(LOW)));
            return access == MemoryAccess.MAPPED ? new MappedRegions(table, parts)
                    : new FileRegions(table, parts);
        }

        private RegionFiles.Part part(long offset) throws IOException {
            return new RegionFiles.Part(SharedMemory.openReadWrite(file.procPath()), offset);
        }

        /** Reading a hole through the guest's mapping would give it storage. */
        byte[] read(long page) {
            try {
                if (file.nextData(PageGeometry.bytesOf(page)) != PageGeometry.bytesOf(page)) {
                    return new byte[PageGeometry.PAGE_SIZE];
                }
            } catch (LinuxException e) {
                throw new AssertionError(e);
            }
            return guest.asSlice(PageGeometry.bytesOf(page), PageGeometry.PAGE_SIZE)
                    .toArray(ValueLayout.JAVA_BYTE);
        }

        @Override
        public void close() {
            regions.close();
            file.close();
            arena.close();
        }
    }

    abstract static class Source extends PageSourceContract {
        private final Files files;

        Source(MemoryAccess access) {
            files = new Files(access);
        }

        @Override
        protected PageSource memory() {
            return files.regions;
        }

        @Override
        protected void write(long page, byte[] bytes) {
            MemorySegment.copy(bytes, 0, files.guest, ValueLayout.JAVA_BYTE,
                    PageGeometry.bytesOf(page), bytes.length);
        }

        @AfterEach
        void free() {
            files.close();
        }
    }

    abstract static class Store extends PageStoreContract {
        private final Files files;

        Store(MemoryAccess access) {
            files = new Files(access);
        }

        @Override
        protected PageStore memory() {
            return files.regions;
        }

        @Override
        protected byte[] seenByGuest(long page) {
            return files.read(page);
        }

        @AfterEach
        void free() {
            files.close();
        }
    }

    @Nested
    class MappedSource extends Source {
        MappedSource() {
            super(MemoryAccess.MAPPED);
        }
    }

    @Nested
    class FileSource extends Source {
        FileSource() {
            super(MemoryAccess.FILE);
        }
    }

    @Nested
    class MappedStore extends Store {
        MappedStore() {
            super(MemoryAccess.MAPPED);
        }
    }

    @Nested
    class FileStore extends Store {
        FileStore() {
            super(MemoryAccess.FILE);
        }
    }

    /** A write would make it longer again, and hide that proved pages are lost. */
    @Test
    void aFileThatWasCutShortTakesNoPageAndIsNotWhole() throws IOException {
        Path file = folder.resolve("image");
        try (RandomAccessFile image = new RandomAccessFile(file.toFile(), "rw");
                Arena arena = Arena.ofConfined()) {
            image.setLength(PageGeometry.bytesOf(LOW));
            try (FileRegions regions = new FileRegions(
                    RegionTable.single("ram", PageGeometry.bytesOf(LOW)),
                    List.of(new RegionFiles.Part(SharedMemory.openReadWrite(file), 0)))) {
                MemorySegment page = arena.allocate(PageGeometry.PAGE_SIZE);
                regions.put(LOW - 1, 1, page, 0);
                assertTrue(regions.flush());
                image.setLength(0);
                assertThrows(UncheckedIOException.class, regions::flush);
                assertThrows(UncheckedIOException.class,
                        () -> regions.put(LOW - 1, 1, page, 0));
                assertEquals(0, image.length());
            }
        }
    }
}
