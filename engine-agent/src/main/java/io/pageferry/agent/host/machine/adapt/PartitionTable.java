package io.pageferry.agent.host.machine.adapt;

import io.pageferry.agent.host.machine.tree.Refusal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.zip.CRC32;

/**
 * The partitions of a disk, by GPT (UEFI specification, 5.3) or by MBR. Sectors have 512 bytes.
 * What a table says is believed within the disk alone.
 */
final class PartitionTable {
    static final int SECTOR = 512;

    private static final int LARGE_SECTOR = 4096;

    private static final int MBR_ENTRIES = 446;
    private static final int MBR_ENTRY = 16;
    private static final int MBR_TYPE = 4;
    private static final int MBR_FIRST = 8;
    private static final int MBR_SECTORS = 12;
    private static final int MBR_END = 510;
    private static final int PRIMARY = 4;
    private static final short SIGNATURE = (short) 0xaa55;
    private static final int PROTECTIVE = 0xee;
    private static final long UNSIGNED = 0xffffffffL;
    private static final int MOST_LOGICAL = 128;

    private static final long GPT_MAGIC = 0x5452415020494645L;
    private static final int HEADER = 92;
    private static final int HEADER_CRC = 16;
    private static final int OWN_AT = 24;
    private static final int OTHER_AT = 32;
    private static final int LAST_USABLE = 48;
    private static final int ENTRIES_AT = 72;
    private static final int ENTRY_COUNT = 80;
    private static final int ENTRY_BYTES = 84;
    private static final int ENTRIES_CRC = 88;
    private static final int ENTRY_FIRST = 32;
    private static final int ENTRY_LAST = 40;
    private static final int MOST_ENTRIES = 1024;
    private static final int LEAST_ENTRY_BYTES = 128;
    private static final int MOST_ENTRY_BYTES = 1024;

    private final FileChannel disk;
    private final long sectors;
    private final boolean gpt;
    private final List<Partition> partitions;
    /** Of a GPT: its header and what follows from it. */
    private final ByteBuffer header;
    private final ByteBuffer entries;

    /**
     * A part of the disk.
     *
     * @param number  of it, from 1 on
     * @param first   sector
     * @param sectors of it
     */
    record Partition(int number, long first, long sectors) {
        long end() {
            return first + sectors;
        }
    }

    private PartitionTable(FileChannel disk, List<Partition> partitions, ByteBuffer header,
            ByteBuffer entries) throws IOException {
        this.disk = disk;
        this.sectors = disk.size() / SECTOR;
        this.gpt = header != null;
        this.partitions = partitions;
        this.header = header;
        this.entries = entries;
    }

    /** Reads the table of a disk. */
    static PartitionTable read(FileChannel disk) throws IOException {
        ByteBuffer mbr = bytes(disk, 0, SECTOR);
        if (mbr.getShort(MBR_END) != SIGNATURE) {
            throw Refusal.of("it has no partition table", "name a whole disk that a machine boots");
        }
        ByteBuffer header = bytes(disk, SECTOR, SECTOR);
        if (header.getLong(0) == GPT_MAGIC) {
            return gpt(disk, header);
        }
        if (disk.size() > LARGE_SECTOR + SECTOR
                && bytes(disk, LARGE_SECTOR, SECTOR).getLong(0) == GPT_MAGIC) {
            throw Refusal.of("its sectors have 4096 bytes", "adapt it on the machine that has it:"
                    + " pageferry prepare");
        }
        if ((mbr.get(MBR_ENTRIES + MBR_TYPE) & 0xff) == PROTECTIVE) {
            throw Refusal.of("its GPT is broken", "repair it first: sgdisk -e, gdisk");
        }
        return new PartitionTable(disk, mbr(disk, mbr), null, null);
    }

    private static PartitionTable gpt(FileChannel disk, ByteBuffer header) throws IOException {
        int count = header.getInt(ENTRY_COUNT);
        int size = header.getInt(ENTRY_BYTES);
        long at = header.getLong(ENTRIES_AT);
        if (count < 1 || count > MOST_ENTRIES || size < LEAST_ENTRY_BYTES
                || size > MOST_ENTRY_BYTES || at < 2 || at > disk.size() / SECTOR
                || header.getInt(HEADER_CRC) != headerCrc(header)) {
            throw Refusal.of("its GPT is broken", "repair it first: sgdisk -e, gdisk");
        }
        ByteBuffer entries = bytes(disk, at * SECTOR, count * size);
        if (crc(entries, entries.capacity()) != header.getInt(ENTRIES_CRC)) {
            throw Refusal.of("its GPT is broken", "repair it first: sgdisk -e, gdisk");
        }
        List<Partition> found = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int entry = i * size;
            if (entries.getLong(entry) != 0 || entries.getLong(entry + Long.BYTES) != 0) {
                long first = entries.getLong(entry + ENTRY_FIRST);
                add(disk, found, new Partition(i + 1, first,
                        entries.getLong(entry + ENTRY_LAST) - first + 1));
            }
        }
        return new PartitionTable(disk, found, header, entries);
    }

    private static List<Partition> mbr(FileChannel disk, ByteBuffer mbr) throws IOException {
        List<Partition> found = new ArrayList<>();
        long extended = 0;
        for (int i = 0; i < PRIMARY; i++) {
            int type = mbr.get(entryAt(i) + MBR_TYPE) & 0xff;
            if (isExtended(type)) {
                extended = number(mbr, entryAt(i) + MBR_FIRST);
            } else if (type != 0) {
                add(disk, found, new Partition(i + 1, number(mbr, entryAt(i) + MBR_FIRST),
                        number(mbr, entryAt(i) + MBR_SECTORS)));
            }
        }
        long at = extended;
        for (int i = 0; at != 0 && i < MOST_LOGICAL; i++) {
            ByteBuffer record = bytes(disk, at * SECTOR, SECTOR);
            if (record.getShort(MBR_END) != SIGNATURE) {
                break;
            }
            if (record.get(entryAt(0) + MBR_TYPE) != 0) {
                add(disk, found, new Partition(PRIMARY + 1 + i,
                        at + number(record, entryAt(0) + MBR_FIRST),
                        number(record, entryAt(0) + MBR_SECTORS)));
            }
            long next = number(record, entryAt(1) + MBR_FIRST);
            at = next == 0 ? 0 : extended + next;
        }
        return found;
    }

    private static void add(FileChannel disk, List<Partition> found, Partition one)
            throws IOException {
        if (one.first() < 1 || one.sectors() < 1 || one.end() > disk.size() / SECTOR) {
            throw Refusal.of("its partition " + one.number() + " does not lie on it: the disk was"
                    + " cut short", "copy all of it first");
        }
        found.add(one);
    }

    private static int entryAt(int index) {
        return MBR_ENTRIES + index * MBR_ENTRY;
    }

    private static boolean isExtended(int type) {
        return type == 0x05 || type == 0x0f || type == 0x85;
    }

    private static long number(ByteBuffer record, int at) {
        return record.getInt(at) & UNSIGNED;
    }

    /** {@return its partitions, in the order of the table} */
    List<Partition> partitions() {
        return partitions;
    }

    /** {@return the one that ends last} */
    Partition last() {
        return partitions.stream().max(Comparator.comparingLong(Partition::end)).orElseThrow(
                () -> new IllegalStateException("no partition"));
    }

    /** {@return whether it is a GPT} */
    boolean isGpt() {
        return gpt;
    }

    /** {@return the first sector that no partition may have} */
    long usableEnd() {
        return gpt ? sectors - 1 - entrySectors() : Math.min(sectors, UNSIGNED);
    }

    private long entrySectors() {
        return (entries.capacity() + SECTOR - 1) / SECTOR;
    }

    /** Gives a partition another place. Nothing of it is copied. */
    void place(Partition partition, long first, long count) throws IOException {
        int index = partition.number() - 1;
        if (gpt) {
            int at = index * header.getInt(ENTRY_BYTES);
            entries.putLong(at + ENTRY_FIRST, first).putLong(at + ENTRY_LAST, first + count - 1);
            writeGpt();
        } else if (index < PRIMARY) {
            ByteBuffer mbr = bytes(disk, 0, SECTOR);
            mbr.putInt(entryAt(index) + MBR_FIRST, (int) first)
                    .putInt(entryAt(index) + MBR_SECTORS, (int) count);
            write(mbr, 0);
        } else {
            throw Refusal.of("its last partition is in an extended one", "make it larger by"
                    + " parted, in the machine that boots it");
        }
        partitions.set(partitions.indexOf(partition),
                new Partition(partition.number(), first, count));
    }

    /** The second table and header are the last sectors of the disk, however large it is now. */
    private void writeGpt() throws IOException {
        long end = sectors - 1;
        header.putLong(LAST_USABLE, end - entrySectors() - 1)
                .putInt(ENTRIES_CRC, crc(entries, entries.capacity()));
        write(entries.duplicate().order(ByteOrder.LITTLE_ENDIAN), (end - entrySectors()) * SECTOR);
        write(copy(end, 1, end - entrySectors()), end * SECTOR);
        ByteBuffer first = copy(1, end, header.getLong(ENTRIES_AT));
        write(entries.duplicate().order(ByteOrder.LITTLE_ENDIAN),
                header.getLong(ENTRIES_AT) * SECTOR);
        write(first, SECTOR);
        ByteBuffer mbr = bytes(disk, 0, SECTOR);
        if ((mbr.get(MBR_ENTRIES + MBR_TYPE) & 0xff) == PROTECTIVE) {
            mbr.putInt(MBR_ENTRIES + MBR_SECTORS, (int) Math.min(UNSIGNED, end));
            write(mbr, 0);
        }
        disk.force(false);
    }

    private ByteBuffer copy(long own, long other, long table) {
        ByteBuffer made = ByteBuffer.allocate(SECTOR).order(ByteOrder.LITTLE_ENDIAN);
        made.put(0, header, 0, SECTOR).putLong(OWN_AT, own).putLong(OTHER_AT, other)
                .putLong(ENTRIES_AT, table);
        return made.putInt(HEADER_CRC, headerCrc(made));
    }

    private static int headerCrc(ByteBuffer header) {
        int length = Math.clamp(header.getInt(12), HEADER, SECTOR);
        ByteBuffer plain = ByteBuffer.allocate(SECTOR).order(ByteOrder.LITTLE_ENDIAN);
        plain.put(0, header, 0, SECTOR).putInt(HEADER_CRC, 0);
        return crc(plain, length);
    }

    private static int crc(ByteBuffer bytes, int length) {
        CRC32 crc = new CRC32();
        crc.update(bytes.slice(0, length));
        return (int) crc.getValue();
    }

    private void write(ByteBuffer bytes, long at) throws IOException {
        bytes.clear();
        while (bytes.hasRemaining()) {
            disk.write(bytes, at + bytes.position());
        }
    }

    private static ByteBuffer bytes(FileChannel disk, long at, int count) throws IOException {
        ByteBuffer into = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        while (into.hasRemaining() && disk.read(into, at + into.position()) > 0) {
            // What is behind the end stays zero.
        }
        return into.clear();
    }
}
