package io.pageferry.agent.host.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Assumptions;

/** Whole programs of a few instructions, which map something and then wait for ever. */
public final class TinyProgram {
    private static final int BASE = 0x08048000;
    private static final int ROOM = 512;

    private TinyProgram() {
    }

    /** Starts {@link #bits32}; where the host's kernel forbids such programs, skips the test. */
    public static Stranger start32Bit(Path folder) throws IOException {
        Path program = bits32(folder);
        Process tried = new ProcessBuilder(program.toString()).start();
        try {
            // It waits for ever; what the kernel does not run is tried as a script, and ends.
            Path exe = Path.of("/proc/" + tried.pid() + "/exe");
            Stranger.await("program", () -> !tried.isAlive() || isSame(exe, program));
            Assumptions.assumeTrue(tried.isAlive(), "this kernel does not run 32-bit programs");
        } finally {
            tried.destroyForcibly();
        }
        return start(program);
    }

    /** Starts {@link #ring}. */
    public static Stranger startRing(Path folder) throws IOException {
        return start(ring(folder));
    }

    private static boolean isSame(Path one, Path other) {
        try {
            return Files.isSameFile(one, other);
        } catch (IOException e) {
            return false; // it just ended
        }
    }

    private static Stranger start(Path program) throws IOException {
        Stranger started = Stranger.start(program.toString());
        Stranger.await("mapping", () -> {
            try {
                return ProcessMaps.of(started.pid()).stream().anyMatch(one ->
                        one.path().equals("/dev/zero (deleted)"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return started;
    }

    /** For 32 bits: mmap2(0, 4096, READ|WRITE, SHARED|ANONYMOUS, −1, 0), then pause in a loop. */
    private static Path bits32(Path folder) throws IOException {
        ByteBuffer elf = ByteBuffer.allocate(ROOM).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(new byte[] {0x7f, 'E', 'L', 'F', 1, 1, 1}).position(16);
        elf.putShort((short) 2).putShort((short) 3).putInt(1); // executable, 386, version
        elf.putInt(BASE + 84).putInt(52).putInt(0).putInt(0); // entry, program headers
        elf.putShort((short) 52).putShort((short) 32).putShort((short) 1).position(52);
        elf.putInt(1).putInt(0).putInt(BASE).putInt(BASE); // load from the start of the file
        elf.putInt(ROOM).putInt(ROOM).putInt(5).putInt(0x1000);
        elf.put(HexFormat.of().parseHex("b8c0000000" + "31db" + "b900100000" + "ba03000000"
                + "be21000000" + "bfffffffff" + "31ed" + "cd80"
                + "b81d000000" + "cd80" + "ebf7"));
        return write(folder.resolve("bits32"), elf);
    }

    /**
     * For x86-64: io_uring_setup(1, params), mmap of its ring, mmap of anonymous shared memory,
     * then pause in a loop. Code and parameters are in one writable segment.
     */
    private static Path ring(Path folder) throws IOException {
        ByteBuffer elf = ByteBuffer.allocate(ROOM).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
        elf.putShort((short) 2).putShort((short) 62).putInt(1); // executable, x86-64, version
        elf.putLong(BASE + 120).putLong(64).putLong(0).putInt(0); // entry, program headers
        elf.putShort((short) 64).putShort((short) 56).putShort((short) 1).position(64);
        elf.putInt(1).putInt(7).putLong(0).putLong(BASE).putLong(BASE); // load, all rights
        elf.putLong(ROOM).putLong(ROOM).putLong(0x1000);
        elf.put(HexFormat.of().parseHex("b8a9010000" + "bf01000000" + "be00810408" + "0f05"
                + "4989c0" + "b809000000" + "31ff" + "be00100000" + "ba03000000"
                + "41ba01000000" + "4531c9" + "0f05"
                + "b809000000" + "31ff" + "be00100000" + "ba03000000" + "41ba21000000"
                + "49c7c0ffffffff" + "4531c9" + "0f05"
                + "b822000000" + "0f05" + "ebf7"));
        return write(folder.resolve("ring"), elf);
    }

    private static Path write(Path file, ByteBuffer elf) throws IOException {
        Files.write(file, elf.array());
        if (!file.toFile().setExecutable(true)) {
            throw new IOException(file + " cannot be made executable");
        }
        return file;
    }
}
