package io.pageferry.agent.host.disk;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.block.BlockFile;
import io.pageferry.core.memory.PageGeometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * A disk that this process holds alone: a block device or a file, read and written past the page
 * cache. Calls wait for the device; any thread, several at once, each with whole pages of memory
 * that begin on a page. What the last page has behind the end of the disk reads as zeros, and is
 * not written.
 */
public final class DirectDisk implements AutoCloseable {
    /** Most bytes of one call: beyond it no device gets faster. */
    public static final int RUN_BYTES = 1 << 20;

    private static final int PAGE = PageGeometry.PAGE_SIZE;
    private static final MemorySegment ZEROS = Arena.global().allocate(RUN_BYTES, PAGE);

    private final DiskName name;
    private final BlockFile direct;
    /** Of a file to be written: for what fills no sector at its end. */
    private final BlockFile tail;
    private final int sector;
    private final long size;
    private long bytes;
    private volatile boolean writesZeros;

    private DirectDisk(DiskName name, BlockFile direct, BlockFile tail) throws LinuxException {
        this.name = name;
        this.direct = direct;
        this.tail = tail;
        this.sector = direct.sectorBytes();
        this.size = direct.size();
        this.bytes = size;
    }

    static DirectDisk of(DiskName name, BlockFile direct, BlockFile tail) throws LinuxException {
        return new DirectDisk(name, direct, tail);
    }

    /** {@return its path, as it was given} */
    public Path path() {
        return name.path();
    }

    /** {@return what it is called on this host} */
    public DiskName name() {
        return name;
    }

    /** {@return bytes when it was opened} */
    public long size() {
        return size;
    }

    /** {@return bytes of a logical sector} */
    public int sectorBytes() {
        return sector;
    }

    /** {@return bytes of it that are used, from the first on} */
    public long bytes() {
        return bytes;
    }

    /**
     * Uses a part of it; what is behind is neither read nor written.
     *
     * @param most bytes, 1 … {@link #size}; of a device a multiple of its sector
     */
    public void use(long most) {
        if (most < 1 || most > size || name.isDevice() && most % sector != 0) {
            throw new IllegalArgumentException(most + " bytes of " + path());
        }
        bytes = most;
    }

    /**
     * Returns whether it still is as long as it was.
     *
     * @return false once it was detached or changed
     */
    public boolean isUnchanged() {
        try {
            return direct.size() == size;
        } catch (LinuxException e) {
            return false;
        }
    }

    /**
     * Reads pages.
     *
     * @param offset of the first, a multiple of 4096
     * @param into   aligned memory
     * @param at     offset there, likewise
     * @param length whole pages; the last may end behind the disk
     * @throws LinuxException when it cannot be read
     */
    public void read(long offset, MemorySegment into, long at, long length)
            throws LinuxException {
        long wanted = Math.min(length, bytes - offset);
        // A file gives what it has; a device ends with a sector.
        long asked = name.isDevice() ? wanted : (wanted + PAGE - 1) / PAGE * PAGE;
        long got = direct.read(offset, into, at, asked);
        if (got < wanted) {
            throw new LinuxException("pread", Native.EIO, path() + " ends at " + (offset + got));
        }
        into.asSlice(at + wanted, length - wanted).fill((byte) 0);
    }

    /**
     * Finds the first sector of a page that cannot be read.
     *
     * @param offset of the page
     * @param memory aligned, of a page
     * @return its number in units of 512 bytes, as the kernel's log has it
     */
    public long badSector(long offset, MemorySegment memory) {
        long end = Math.min(offset + PAGE, bytes) / sector * sector;
        for (long at = offset; at < end; at += sector) {
            try {
                direct.read(at, memory, 0, sector);
            } catch (LinuxException e) {
                return at / BlockFile.SECTOR;
            }
        }
        return offset / BlockFile.SECTOR;
    }

    /**
     * Writes pages.
     *
     * @param offset of the first, a multiple of 4096
     * @param from   aligned memory
     * @param at     offset there, likewise
     * @param length whole pages; the last may end behind the disk
     * @throws LinuxException when it cannot be written
     */
    public void write(long offset, MemorySegment from, long at, long length)
            throws LinuxException {
        long wanted = Math.min(length, bytes - offset);
        long whole = name.isDevice() ? wanted : wanted / PAGE * PAGE;
        if (whole > 0) {
            direct.write(offset, from, at, whole);
        }
        if (whole < wanted) {
            tail.write(offset + whole, from, at + whole, wanted - whole);
        }
    }

    /**
     * Makes pages zero, without storage where the disk can do that.
     *
     * @param offset of the first, a multiple of 4096
     * @param length whole pages; the last may end behind the disk
     * @throws LinuxException when it cannot be written
     */
    public void zero(long offset, long length) throws LinuxException {
        long wanted = Math.min(length, bytes - offset);
        long whole = name.isDevice() ? wanted : wanted / PAGE * PAGE;
        if (whole > 0 && !writesZeros) {
            // A part is not asked for again: what cannot do it here can do it nowhere.
            writesZeros = !direct.zero(offset, whole);
        }
        for (long at = writesZeros ? 0 : whole; at < length; at += RUN_BYTES) {
            write(offset + at, ZEROS, 0, Math.min(RUN_BYTES, length - at));
        }
    }

    /**
     * Waits until all that was written is on the medium.
     *
     * @throws LinuxException when it is not
     */
    public void sync() throws LinuxException {
        direct.sync();
    }

    /**
     * Makes its first MiB zero, durable on return.
     *
     * @throws LinuxException when it cannot be written
     */
    public void blankHead() throws LinuxException {
        write(0, ZEROS, 0, headBytes());
        sync();
    }

    /**
     * Returns whether its first MiB is zero.
     *
     * @return whether it is
     * @throws LinuxException when it cannot be read
     */
    public boolean isHeadBlank() throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment head = arena.allocate(headBytes(), PAGE);
            read(0, head, 0, head.byteSize());
            return MemorySegment.mismatch(head, 0, head.byteSize(), ZEROS, 0, head.byteSize())
                    == -1;
        }
    }

    /** Whole pages, as the others. */
    long headBytes() {
        return Math.min(RUN_BYTES, (bytes + PAGE - 1) / PAGE * PAGE);
    }

    long nextData(long offset) throws LinuxException {
        return direct.nextData(offset, bytes);
    }

    long nextHole(long offset) throws LinuxException {
        return direct.nextHole(offset, bytes);
    }

    /** Lets go of it. Idempotent; no call may be under way. */
    @Override
    public void close() {
        direct.close();
        if (tail != null) {
            tail.close();
        }
    }

    @Override
    public String toString() {
        return path().toString();
    }
}
