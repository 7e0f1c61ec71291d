package io.pageferry.agent.host.disk;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.block.BlockFile;
import io.pageferry.core.memory.PageGeometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** A block device or a file that this process holds alone, past the page cache. */
public final class DirectDisk implements Disk {
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

    @Override
    public String address() {
        return name.path().toString();
    }

    @Override
    public String label() {
        return path().getFileName().toString();
    }

    @Override
    public String identity() {
        return name.identity();
    }

    @Override
    public boolean isDevice() {
        return name.isDevice();
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public int sectorBytes() {
        return sector;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public void use(long most) {
        if (most < 1 || most > size || name.isDevice() && most % sector != 0) {
            throw new IllegalArgumentException(most + " bytes of " + path());
        }
        bytes = most;
    }

    @Override
    public boolean isUnchanged() {
        try {
            return direct.size() == size;
        } catch (LinuxException e) {
            return false;
        }
    }

    @Override
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

    @Override
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

    @Override
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

    @Override
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

    @Override
    public void sync() throws LinuxException {
        direct.sync();
    }

    @Override
    public long nextData(long offset) throws LinuxException {
        return direct.nextData(offset, bytes);
    }

    @Override
    public long nextHole(long offset) throws LinuxException {
        return direct.nextHole(offset, bytes);
    }

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
