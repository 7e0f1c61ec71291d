package io.pageferry.agent.host.machine.adapt;

import io.pageferry.agent.host.linux.block.LoopDisk;
import io.pageferry.agent.host.machine.TinySystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32;

/** A disk file with a GPT, a tiny system on its first partition and swap on its second. */
final class TinyDisk {
    static final int SECTOR = 512;
    static final long ROOT_FIRST = 2048;
    static final long ROOT_SECTORS = 65536;
    static final long SWAP_SECTORS = 8192;
    private static final long REST = 2048;

    private static final int ENTRY = 128;
    private static final int ENTRIES = 128;
    private static final int TABLE_SECTORS = ENTRY * ENTRIES / SECTOR;

    private final FileChannel disk;
    private final long rootSectors;
    private final long sectors;

    private TinyDisk(FileChannel disk, long rootSectors) {
        this.disk = disk;
        this.rootSectors = rootSectors;
        this.sectors = ROOT_FIRST + rootSectors + SWAP_SECTORS + REST;
    }

    /**
     * Makes one of the files of a folder; without a folder its first partition is empty. Nothing
     * is mounted for that.
     */
    static Path make(Path file, Path root, long rootSectors) throws IOException {
        try (FileChannel disk = FileChannel.open(file, StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE, StandardOpenOption.READ)) {
            new TinyDisk(disk, rootSectors).table();
        }
        if (root != null) {
            LoopDisk.run("mke2fs", "-q", "-F", "-t", "ext4", "-U", TinySystem.ROOT_UUID, "-d",
                    root.toString(), "-E", "offset=" + ROOT_FIRST * SECTOR,
                    file.toString(), rootSectors / 2 + "k");
        }
        Path swap = file.resolveSibling("swap");
        Files.write(swap, new byte[(int) SWAP_SECTORS * SECTOR]);
        LoopDisk.run("mkswap", "-U", TinySystem.SWAP_UUID, swap.toString());
        put(file, Files.readAllBytes(swap), (ROOT_FIRST + rootSectors) * SECTOR);
        Files.delete(swap);
        return file;
    }

    /** Writes bytes into a file. */
    static void put(Path file, byte[] bytes, long at) throws IOException {
        try (FileChannel disk = FileChannel.open(file, StandardOpenOption.WRITE)) {
            disk.write(ByteBuffer.wrap(bytes), at);
        }
    }

    /** {@return a file of its system} */
    static String read(Path file, String path) throws IOException {
        return LoopDisk.run("debugfs", "-R", "cat " + path,
                file + "?offset=" + ROOT_FIRST * SECTOR).replaceFirst("^debugfs [^\n]*\n", "");
    }

    private void table() throws IOException {
        disk.write(ByteBuffer.allocate(SECTOR), (sectors - 1) * SECTOR);
        ByteBuffer mbr = sector();
        mbr.put(450, (byte) 0xee).putInt(454, 1).putInt(458, (int) sectors - 1)
                .putShort(510, (short) 0xaa55);
        disk.write(mbr, 0);
        ByteBuffer entries = ByteBuffer.allocate(ENTRY * ENTRIES).order(ByteOrder.LITTLE_ENDIAN);
        entry(entries, 0, ROOT_FIRST, rootSectors);
        entry(entries, 1, ROOT_FIRST + rootSectors, SWAP_SECTORS);
        disk.write(entries.duplicate(), 2L * SECTOR);
        disk.write(entries.duplicate(), (sectors - 1 - TABLE_SECTORS) * SECTOR);
        int sum = crc(entries, entries.capacity());
        disk.write(header(1, sectors - 1, 2, sum), SECTOR);
        disk.write(header(sectors - 1, 1, sectors - 1 - TABLE_SECTORS, sum),
                (sectors - 1) * SECTOR);
    }

    private static void entry(ByteBuffer entries, int index, long first, long sectors) {
        int at = index * ENTRY;
        entries.putLong(at, 1).putLong(at + 8, 1).putLong(at + 16, index + 1)
                .putLong(at + 32, first).putLong(at + 40, first + sectors - 1);
    }

    private ByteBuffer header(long own, long other, long table, int sum) {
        ByteBuffer header = sector();
        header.putLong(0, 0x5452415020494645L).putInt(8, 0x10000).putInt(12, 92).putLong(24, own)
                .putLong(32, other).putLong(40, 34).putLong(48, sectors - 34)
                .putLong(72, table).putInt(80, ENTRIES).putInt(84, ENTRY).putInt(88, sum);
        return header.putInt(16, crc(header, 92));
    }

    private static ByteBuffer sector() {
        return ByteBuffer.allocate(SECTOR).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static int crc(ByteBuffer bytes, int length) {
        CRC32 crc = new CRC32();
        crc.update(bytes.slice(0, length));
        return (int) crc.getValue();
    }
}
