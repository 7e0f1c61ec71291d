package io.pageferry.agent.host.disk;

import io.pageferry.agent.host.linux.block.BlockFile;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.testing.memory.PageSourceContract;
import io.pageferry.core.testing.memory.PageStoreContract;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;

/** The contracts of memory, kept by two disks: files of 3 MiB, and of 70 pages. */
class DiskContractTest {
    private static final int[] PAGES = {768, 70};

    /** Two files, which their guest reads and writes by the page cache. */
    private static final class TwoDisks implements AutoCloseable {
        private final Path folder;
        private final List<Disk> disks = new ArrayList<>();
        private final DiskSet set;

        TwoDisks(boolean target) {
            try {
                folder = Files.createTempDirectory("two-disks");
                for (int pages : PAGES) {
                    Path file = folder.resolve(pages + ".raw");
                    try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
                        made.setLength(PageGeometry.bytesOf(pages));
                    }
                    disks.add(target ? DiskOpening.target(file) : DiskOpening.source(file));
                }
                set = DiskSet.of(disks);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        private BlockFile open(long page) throws IOException {
            return BlockFile.open(Path.of(set.diskOf(page).address()), false, BlockFile.Use.TAIL);
        }

        void write(long page, byte[] bytes) {
            try (BlockFile file = open(page); Arena arena = Arena.ofConfined()) {
                MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
                file.write(set.offsetOf(page), from, 0, bytes.length);
                file.sync();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        byte[] read(long page) {
            try (BlockFile file = open(page); Arena arena = Arena.ofConfined()) {
                MemorySegment into = arena.allocate(PageGeometry.PAGE_SIZE);
                file.read(set.offsetOf(page), into, 0, into.byteSize());
                return into.toArray(ValueLayout.JAVA_BYTE);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public void close() {
            try {
                for (Disk disk : disks) {
                    disk.close();
                    Files.delete(Path.of(disk.address()));
                }
                Files.delete(folder);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Nested
    class Source extends PageSourceContract {
        private final TwoDisks disks = new TwoDisks(false);
        private final DiskPages memory = new DiskPages(disks.set, ReadErrors.stop());

        @Override
        protected PageSource memory() {
            return memory;
        }

        @Override
        protected void write(long page, byte[] bytes) {
            disks.write(page, bytes);
        }

        @AfterEach
        void free() {
            memory.close();
            disks.close();
        }
    }

    @Nested
    class Store extends PageStoreContract {
        private final TwoDisks disks = new TwoDisks(true);
        private final DiskStore memory = new DiskStore(disks.set);

        @Override
        protected PageStore memory() {
            return memory;
        }

        @Override
        protected byte[] seenByGuest(long page) {
            return disks.read(page);
        }

        @AfterEach
        void free() {
            memory.close();
            disks.close();
        }
    }
}
