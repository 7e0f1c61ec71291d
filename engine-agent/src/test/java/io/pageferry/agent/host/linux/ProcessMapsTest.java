package io.pageferry.agent.host.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.process.Fifo;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessMapsTest {
    private static final long SELF = ProcessHandle.current().pid();

    @Test
    void readsALine() {
        ProcessMaps.Mapping mapping = ProcessMaps.parse(
                "7f0000000000-7f0000201000 rw-s 00003000 fe:1a 1234                       "
                + "/dev/shm/a  b (deleted) ");
        assertEquals(0x7f0000000000L, mapping.start());
        assertEquals(0x201000, mapping.length());
        assertEquals(0x3000, mapping.offset());
        assertEquals(new ProcessMaps.FileId(0xfeL << 32 | 0x1a, 1234), mapping.file());
        assertEquals("/dev/shm/a  b (deleted) ", mapping.path());
        assertTrue(mapping.writesToFile());
    }

    @Test
    void readsLinesWithoutAPathAndAtTheEndOfTheSpace() {
        ProcessMaps.Mapping plain = ProcessMaps.parse("1000-2000 rw-p 00000000 00:00 0 ");
        assertEquals("", plain.path());
        assertFalse(plain.writesToFile());
        assertEquals("", ProcessMaps.parse("1000-2000 r--s 00000000 00:00 0").path());
        ProcessMaps.Mapping last = ProcessMaps.parse("ffffffffff600000-ffffffffff601000 --xp "
                + "00000000 00:00 0                  [vsyscall]");
        assertEquals("[vsyscall]", last.path());
        assertEquals(4096, last.length());
    }

    @Test
    void findsFilesWithOddNames(@TempDir Path folder) throws IOException {
        for (String name : List.of(" blanks  inside ", "looks (deleted)", "späße", "a\\b:c",
                "two\nlines")) {
            Path file = folder.resolve(name);
            Files.write(file, new byte[8192]);
            ProcessMaps.FileId id = ProcessMaps.fileId(file);
            try (Arena arena = Arena.ofConfined();
                    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                channel.map(MapMode.READ_ONLY, 4096, 4096, arena);
                ProcessMaps.Mapping found = only(ProcessMaps.ofFile(SELF, id));
                assertEquals(file.toString().replace("\n", "\\012"), found.path());
                assertEquals(4096, found.offset());
                Files.delete(file);
                assertTrue(only(ProcessMaps.ofFile(SELF, id)).path().endsWith(" (deleted)"));
            }
            assertEquals(List.of(), ProcessMaps.ofFile(SELF, id));
        }
    }

    @Test
    void listsMemfdsAndFilesButNotDevices(@TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve("file"), new byte[10]);
        try (SharedMemory memfd = SharedMemory.create("two words", 8192);
                SharedMemory opened = SharedMemory.openReadOnly(file)) {
            List<ProcessMaps.OpenFile> files = ProcessMaps.openFiles(SELF);
            ProcessMaps.OpenFile memory = files.stream().filter(f -> f.file().equals(id(memfd)))
                    .findFirst().orElseThrow();
            assertTrue(memory.memfd());
            assertEquals("/memfd:two words (deleted)", memory.target());
            assertEquals(8192, memory.size());
            assertTrue(files.stream().anyMatch(f -> !f.memfd() && f.file().equals(id(opened))
                    && f.target().equals(file.toString()) && f.size() == 10));
            assertTrue(files.stream().noneMatch(f -> f.target().startsWith("/dev/null")));
        }
    }

    /** Nor is one a holder that has a pipe of that name in a file system of its own. */
    @Test
    void findsWhoHasAPipeOpen(@TempDir Path folder) throws IOException {
        Path path = folder.resolve("pipe");
        String script = "set -e\nmount -t tmpfs pageferry-test \"$0\"\nmkfifo \"$0/pipe\"\n"
                + "exec 3<> \"$0/pipe\"\necho ready\nexec cat\n";
        Process other = new ProcessBuilder("unshare", "-m", "sh", "-c", script,
                folder.toString()).redirectErrorStream(true).start();
        try (Fifo pipe = Fifo.create(path)) {
            String said = new String(other.getInputStream().readNBytes(6),
                    StandardCharsets.UTF_8);
            Assumptions.assumeTrue(said.equals("ready\n"), "no mount namespaces here: " + said);
            assertTrue(ProcessMaps.holdersOf(path.toString()).contains(other.pid()));
            pipe.awaitRead(() -> true, 0); // nothing was written
            assertEquals(List.of(SELF), ProcessMaps.holdersOf(path));
            assertTrue(ProcessMaps.holds(SELF, path));
            assertFalse(ProcessMaps.holds(other.pid(), path));
        } finally {
            other.destroyForcibly();
        }
        assertEquals(List.of(), ProcessMaps.holdersOf(path));
        assertFalse(ProcessMaps.holds(SELF, path));
    }

    @Test
    void saysThatThereIsNoSuchProcess() {
        assertThrows(IOException.class, () -> ProcessMaps.of(Integer.MAX_VALUE));
    }

    private static ProcessMaps.FileId id(SharedMemory memory) {
        try {
            return ProcessMaps.fileId(memory.procPath());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static ProcessMaps.Mapping only(List<ProcessMaps.Mapping> mappings) {
        assertEquals(1, mappings.size());
        return mappings.getFirst();
    }
}
