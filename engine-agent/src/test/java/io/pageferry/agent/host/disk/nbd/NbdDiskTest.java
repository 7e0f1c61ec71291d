package io.pageferry.agent.host.disk.nbd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.LoopDevice;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.UnixPeer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks behind real NBD servers. */
class NbdDiskTest {
    private static final int MIB = 1 << 20;
    private static final int TAIL = 512;

    @TempDir
    private Path folder;

    private NbdAddress address() {
        return new NbdAddress("", folder.resolve("nbd"));
    }

    /** Starts one, or skips the test. */
    private Stranger serve(String program, String... arguments) throws IOException {
        Path path = Path.of("/usr/bin", program);
        Assumptions.assumeTrue(Files.isExecutable(path), "no " + path + ": apt install it");
        String[] all = new String[arguments.length + 1];
        all[0] = path.toString();
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        Stranger server = Stranger.start(all);
        while (!UnixPeer.isListening(address().socket())) {
            assertTrue(ProcessHandle.of(server.pid()).isPresent(), program + " does not listen");
            Thread.onSpinWait();
        }
        return server;
    }

    @Test
    void aDiskIsReadAndWrittenToItsLastByte() throws IOException {
        Path file = LoopDevice.file(folder.resolve("disk"), 3L * MIB + TAIL, MIB);
        byte[] before = Files.readAllBytes(file);
        try (Stranger server = serve("qemu-nbd", "--format=raw", "--persistent",
                "--socket=" + address().socket(), file.toString());
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(MIB, 4096);
            try (NbdDisk disk = NbdDisk.source(address(), address().identity(), NbdDisk.LIMIT)) {
                assertEquals(before.length, disk.size());
                assertEquals(MIB, disk.nextHole(0));
                disk.read(0, memory, 0, MIB);
                assertArrayEquals(Arrays.copyOf(before, MIB),
                        memory.toArray(ValueLayout.JAVA_BYTE));
            }
            try (NbdDisk disk = NbdDisk.target(address(), address().identity(), NbdDisk.LIMIT)) {
                assertEquals(MIB, disk.nextHole(0));
                assertEquals(disk.size(), disk.nextData(MIB));
                memory.fill((byte) 7);
                disk.write(3L * MIB, memory, 0, 4096);
                assertEquals(3L * MIB, disk.nextData(MIB), "it was written");
                disk.write(2L * MIB, memory, 0, MIB);
                disk.zero(0, MIB);
                disk.sync();
                assertTrue(disk.isHeadBlank());
                disk.read(3L * MIB, memory, 0, 4096);
                assertEquals(0, memory.get(ValueLayout.JAVA_BYTE, TAIL), "behind its end");
                assertEquals(7, memory.get(ValueLayout.JAVA_BYTE, TAIL - 1));
            }
            assertTrue(ProcessHandle.of(server.pid()).isPresent());
        }
        byte[] after = Files.readAllBytes(file);
        byte[] wanted = new byte[before.length];
        Arrays.fill(wanted, 2 * MIB, wanted.length, (byte) 7);
        assertArrayEquals(wanted, after);
    }

    /** Each thread has pages of its own; the server answers in what order it likes. */
    @Test
    void manyAreUnderWayAtOnce() throws IOException, InterruptedException, ExecutionException {
        try (Stranger server = serve("nbdkit", "-f", "-U", address().socket().toString(),
                "--filter=delay", "memory", "8M", "rdelay=5ms", "wdelay=1ms");
                NbdDisk disk = NbdDisk.target(address(), "x", NbdDisk.LIMIT);
                ExecutorService pool = Executors.newFixedThreadPool(8);
                Arena arena = Arena.ofShared()) {
            List<Future<?>> all = IntStream.range(0, 64).<Future<?>>mapToObj(i -> pool.submit(
                    () -> {
                        MemorySegment page = arena.allocate(4096, 4096);
                        page.fill((byte) (i + 1));
                        disk.write(i * 65536L, page, 0, 4096);
                        page.fill((byte) 0);
                        disk.read(i * 65536L, page, 0, 4096);
                        assertEquals(i + 1, page.get(ValueLayout.JAVA_BYTE, 4095));
                        return null;
                    })).toList();
            for (Future<?> one : all) {
                one.get();
            }
            assertTrue(ProcessHandle.of(server.pid()).isPresent());
        }
    }

    @Test
    void aServerThatDiesIsSaidToBeLost() throws IOException {
        try (Stranger server = serve("nbdkit", "-f", "-U", address().socket().toString(),
                "memory", "8M"); Arena arena = Arena.ofShared();
                NbdDisk disk = NbdDisk.target(address(), "x", NbdDisk.LIMIT)) {
            ProcessHandle.of(server.pid()).ifPresent(ProcessHandle::destroyForcibly);
            IOException no = assertThrows(IOException.class,
                    () -> disk.read(0, arena.allocate(4096), 0, 4096));
            assertTrue(no.getMessage().contains("is lost: "), no.getMessage());
        }
    }

    @Test
    void whatIsNotThereIsNamed() throws IOException {
        IOException no = assertThrows(IOException.class,
                () -> NbdDisk.target(address(), "x", NbdDisk.LIMIT).close());
        assertTrue(no.getMessage().contains("no NBD server at " + address().socket()),
                no.getMessage());
        try (Stranger server = serve("qemu-nbd", "--format=raw", "--persistent", "--export-name=a",
                "--socket=" + address().socket(),
                LoopDevice.file(folder.resolve("disk"), MIB, 0).toString())) {
            IOException other = assertThrows(IOException.class,
                    () -> NbdDisk.target(address(), "x", NbdDisk.LIMIT).close());
            assertTrue(other.getMessage().contains("has no export ''"), other.getMessage());
            assertTrue(ProcessHandle.of(server.pid()).isPresent());
        }
    }
}
