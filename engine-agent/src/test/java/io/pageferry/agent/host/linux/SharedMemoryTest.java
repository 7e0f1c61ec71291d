package io.pageferry.agent.host.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedMemoryTest {
    private static final int PAGE = 4096;
    private static final long HUGE_FILE = 3L << 30;
    private static final Path HUGE_PAGES = Path.of("/dev/hugepages");

    @Test
    void findsDataAndHoles() throws IOException {
        try (SharedMemory memory = SharedMemory.create("test", 100L * PAGE);
                Arena arena = Arena.ofConfined()) {
            assertEquals(memory.size(), memory.nextData(0));
            assertEquals(0, memory.nextHole(0));
            MemorySegment window = memory.map(0, memory.size(), arena);
            window.set(JAVA_BYTE, 10L * PAGE, (byte) 1);
            window.set(JAVA_BYTE, 11L * PAGE, (byte) 1);
            window.set(JAVA_BYTE, 99L * PAGE, (byte) 1);
            assertEquals(10L * PAGE, memory.nextData(0));
            assertEquals(12L * PAGE, memory.nextHole(10L * PAGE));
            assertEquals(99L * PAGE, memory.nextData(12L * PAGE));
            assertEquals(memory.size(), memory.nextHole(99L * PAGE));
            assertEquals(memory.size(), memory.nextData(memory.size()));
        }
    }

    @Test
    void readingAndLookingAllocatesNothing() throws Exception {
        try (SharedMemory memory = SharedMemory.create("test", 1000L * PAGE);
                Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(1000L * PAGE);
            bytes.fill((byte) 7);
            memory.map(0, memory.size(), arena);
            assertEquals(memory.size(), memory.read(0, bytes, 0, bytes.byteSize()));
            assertEquals(-1, bytes.mismatch(arena.allocate(bytes.byteSize())));
            assertEquals(memory.size(), memory.nextData(0));
            assertEquals(0, blocks(memory));
        }
    }

    @Test
    void readEndsWithTheFile() throws IOException {
        try (SharedMemory memory = SharedMemory.create("test", PAGE);
                Arena arena = Arena.ofConfined()) {
            assertEquals(PAGE - 100, memory.read(100, arena.allocate(2 * PAGE), 0, 2 * PAGE));
            assertEquals(0, memory.read(PAGE, arena.allocate(PAGE), 0, PAGE));
        }
    }

    @Test
    void givesStorageAndTakesItBack() throws Exception {
        try (SharedMemory memory = SharedMemory.create("test", 64L * PAGE);
                Arena arena = Arena.ofConfined()) {
            MemorySegment window = memory.map(0, memory.size(), arena);
            SharedMemory.populate(window.asSlice(8L * PAGE, 4L * PAGE));
            assertEquals(4 * PAGE / 512, blocks(memory));
            assertEquals(8L * PAGE, memory.nextData(0));
            window.set(JAVA_BYTE, 9L * PAGE, (byte) 5);
            SharedMemory.populate(window.asSlice(8L * PAGE, 4L * PAGE));
            assertEquals(5, window.get(JAVA_BYTE, 9L * PAGE), "content stays");
            memory.punchHole(8L * PAGE, 4L * PAGE);
            assertEquals(0, blocks(memory));
            assertThrows(IndexOutOfBoundsException.class, () -> memory.punchHole(0, 65L * PAGE));
        }
    }

    @Test
    void mapsWindowsBeyondTwoGigabytesAndEndsThemWithTheArena() throws IOException {
        try (SharedMemory memory = SharedMemory.create("test", HUGE_FILE)) {
            MemorySegment window;
            try (Arena arena = Arena.ofShared()) {
                window = memory.map(0, HUGE_FILE, arena);
                assertEquals(HUGE_FILE, window.byteSize());
                window.set(JAVA_BYTE, HUGE_FILE - 1, (byte) 3);
                MemorySegment end = memory.map(HUGE_FILE - PAGE, PAGE, arena);
                assertEquals(3, end.get(JAVA_BYTE, PAGE - 1), "both show one page");
                assertEquals(2, mappings(memory));
            }
            assertEquals(0, mappings(memory));
            assertThrows(IllegalStateException.class, () -> window.get(JAVA_BYTE, 0));
        }
    }

    @Test
    void sourceCannotBeWritten() throws IOException {
        try (SharedMemory memory = SharedMemory.create("test", PAGE);
                SharedMemory view = SharedMemory.openReadOnly(memory.procPath());
                SharedMemory second = SharedMemory.openReadWrite(memory.procPath());
                Arena arena = Arena.ofConfined()) {
            MemorySegment window = view.map(0, PAGE, arena);
            assertTrue(window.isReadOnly());
            second.map(0, PAGE, arena).set(JAVA_BYTE, 17, (byte) 9);
            assertEquals(9, window.get(JAVA_BYTE, 17));
            LinuxException e = assertThrows(LinuxException.class, () -> view.punchHole(0, PAGE));
            assertEquals("EBADF", LinuxException.nameOf(e.errno()));
        }
    }

    @Test
    void refusesWhatIsNoRegularFile(@TempDir Path folder) {
        assertThrows(NoSuchFileException.class,
                () -> SharedMemory.openReadOnly(folder.resolve("none")));
        assertThrows(IOException.class, () -> SharedMemory.openReadOnly(folder));
        assertThrows(IOException.class, () -> SharedMemory.openReadOnly(Path.of("/dev/zero")));
    }

    @Test
    void takesAllOfHugePagesForData() throws IOException {
        assumeTrue(Files.isWritable(HUGE_PAGES), "no hugetlbfs at " + HUGE_PAGES);
        Path file = Files.createTempFile(HUGE_PAGES, "pageferry", "test");
        try {
            // An own size without pages: none need be reserved on this machine.
            truncate(file, 4L << 20);
            try (SharedMemory memory = SharedMemory.openReadOnly(file)) {
                assumeTrue(memory.granule() > PAGE, HUGE_PAGES + " is no hugetlbfs");
                assertEquals(PAGE, memory.nextData(PAGE));
                assertEquals(memory.size(), memory.nextHole(0));
            }
        } finally {
            Files.delete(file);
        }
        assertFalse(Files.exists(file));
    }

    private static void truncate(Path file, long size) throws IOException {
        Process process = new ProcessBuilder("truncate", "-s", Long.toString(size),
                file.toString()).start();
        Stranger.await("truncate", () -> !process.isAlive());
        assertEquals(0, process.exitValue());
    }

    private static long mappings(SharedMemory memory) throws IOException {
        return ProcessMaps.ofFile(ProcessHandle.current().pid(),
                ProcessMaps.fileId(memory.procPath())).size();
    }

    /** Units of 512 bytes, asked from outside. */
    private static long blocks(SharedMemory memory) throws IOException {
        Process process = new ProcessBuilder("stat", "-L", "-c", "%b",
                memory.procPath().toString()).start();
        return Long.parseLong(process.inputReader().readLine());
    }
}
