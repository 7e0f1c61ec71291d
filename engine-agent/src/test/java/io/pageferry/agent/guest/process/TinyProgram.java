package io.pageferry.agent.guest.process;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/** Whole programs of a few instructions, which map something and then wait for ever. */
final class TinyProgram {
    private static final int BASE = 0x08048000;
    private static final int ROOM = 512;

    private TinyProgram() {
    }

    /** For 32 bits: mmap2(0, 4096, READ|WRITE, SHARED|ANONYMOUS, −1, 0), then pause in a loop. */
    static Path bits32(Path folder) throws IOException {
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
    static Path ring(Path folder) throws IOException {
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
