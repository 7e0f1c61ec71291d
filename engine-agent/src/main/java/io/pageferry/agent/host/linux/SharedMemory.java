package io.pageferry.agent.host.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.agent.host.linux.Native.Call;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A regular file or memfd whose pages are memory of a guest. Offsets and lengths are in bytes.
 * Methods may be called from any thread until {@link #close}; mappings outlive that and end with
 * their arena.
 *
 * <p>Holes: nothing here touches one. Reading a hole of a shared memory file through a mapping
 * allocates its page: ask {@link #nextData} first, or use {@link #read}.
 *
 * <p>A file that another process makes shorter takes its pages away: an access behind the new end
 * throws {@link InternalError}.
 */
public final class SharedMemory implements AutoCloseable {
    /** Bytes of a huge page of {@link #createHuge}. */
    public static final int HUGE_PAGE = 2 << 20;

    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_HUGETLB = 4;
    /** log2 of the size wanted, in the bits from 26 on: {@code linux/memfd.h}. */
    private static final int MFD_HUGE_2MB = 21 << 26;
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int MAP_SHARED = 1;
    private static final int SEEK_END = 2;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    /** {@code linux/fcntl.h}. */
    private static final int F_GET_SEALS = 1034;
    private static final int F_SEAL_WRITE = 8;
    private static final int F_SEAL_FUTURE_WRITE = 16;
    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int FALLOC_FL_PUNCH_HOLE = 2;
    /** {@code asm-generic/mman-common.h}, since Linux 5.14. */
    private static final int MADV_POPULATE_WRITE = 23;
    /** {@code linux/magic.h}. */
    private static final long HUGETLBFS_MAGIC = 0x958458f6L;
    private static final int STATFS_BYTES = 120;
    private static final int PAGE = 4096;

    private final int fd;
    private final String name;
    private final boolean writable;
    private final long size;
    private final int granule;
    private boolean closed;

    private SharedMemory(int fd, String name, boolean writable) throws LinuxException {
        this.fd = fd;
        this.name = name;
        this.writable = writable;
        this.size = Native.check(Native.call(Call.LSEEK, fd, 0, SEEK_END), "lseek", name);
        this.granule = granuleOf(fd, name);
    }

    /**
     * Creates memory that has no name in any file system; it lives until the last descriptor and
     * mapping are gone. All of it is hole.
     *
     * @param name what {@code /proc} shows of it, ≤ 249 bytes
     * @param size bytes, ≥ 1
     * @return open for reading and writing
     * @throws LinuxException when the kernel refuses
     */
    public static SharedMemory create(String name, long size) throws LinuxException {
        return create(name, size, 0);
    }

    /**
     * Creates memory without a name, on huge pages of 2 MiB (hugetlbfs). {@link #map} takes them
     * from those that the host has set aside, and is refused where they are too few.
     *
     * @param name what {@code /proc} shows of it, ≤ 249 bytes
     * @param size bytes, a positive multiple of {@link #HUGE_PAGE}
     * @return open for reading and writing
     * @throws LinuxException when the kernel refuses, or has no such pages
     */
    public static SharedMemory createHuge(String name, long size) throws LinuxException {
        if (size % HUGE_PAGE != 0) {
            throw new IllegalArgumentException(size + " bytes are not made of huge pages");
        }
        return create(name, size, MFD_HUGETLB | MFD_HUGE_2MB);
    }

    private static SharedMemory create(String name, long size, int flags) throws LinuxException {
        if (size < 1) {
            throw new IllegalArgumentException("memory of " + size + " bytes");
        }
        int fd;
        try (Arena arena = Arena.ofConfined()) {
            fd = (int) Native.check(Native.call(Call.MEMFD_CREATE,
                    arena.allocateFrom(name).address(), MFD_CLOEXEC | flags), "memfd_create",
                    name);
        }
        try {
            Native.check(Native.call(Call.FTRUNCATE, fd, size), "ftruncate", name);
        } catch (LinuxException e) {
            Native.close(fd);
            throw e;
        }
        return own(fd, name, true);
    }

    /**
     * Opens a file to look at; nothing can be written through it.
     *
     * @param file a regular file, also {@code /proc/PID/fd/N} of one
     * @return open for reading
     * @throws IOException when there is no such regular file, or it may not be read
     */
    public static SharedMemory openReadOnly(Path file) throws IOException {
        requireRegular(file);
        return own(Native.open(file.toString(), Native.O_RDONLY), file.toString(), false);
    }

    /**
     * Opens a file to be filled.
     *
     * @param file a regular file, also {@code /proc/PID/fd/N} of one
     * @return open for reading and writing
     * @throws IOException when there is no such regular file, or it may not be written
     */
    public static SharedMemory openReadWrite(Path file) throws IOException {
        requireRegular(file);
        return own(Native.open(file.toString(), Native.O_RDWR), file.toString(), true);
    }

    private static SharedMemory own(int fd, String name, boolean writable) throws LinuxException {
        try {
            return new SharedMemory(fd, name, writable);
        } catch (LinuxException e) {
            Native.close(fd);
            throw e;
        }
    }

    /** A device or pipe could block the open, and has no holes to ask for. */
    private static void requireRegular(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        if (!Files.isRegularFile(file)) {
            throw new IOException(file
                    + " is no regular file: give the file that holds the memory");
        }
    }

    private static int granuleOf(int fd, String name) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment statfs = arena.allocate(STATFS_BYTES, Long.BYTES);
            Native.check(Native.call(Call.FSTATFS, fd, statfs.address()), "fstatfs", name);
            boolean huge = statfs.get(JAVA_LONG, 0) == HUGETLBFS_MAGIC;
            // f_bsize of hugetlbfs is its page size.
            return huge ? (int) statfs.get(JAVA_LONG, Long.BYTES) : PAGE;
        }
    }

    /** {@return the size when it was opened, in bytes} */
    public long size() {
        return size;
    }

    /**
     * Returns the page size of its file system: a tracker's granule.
     *
     * @return 4096, or the huge page size of a hugetlbfs file (2 MiB … 1 GiB)
     */
    public int granule() {
        return granule;
    }

    /**
     * Returns a path by which other processes reach the same memory while this one is open.
     *
     * @return a path below {@code /proc} of this process
     */
    public Path procPath() {
        return Path.of("/proc", Long.toString(ProcessHandle.current().pid()), "fd",
                Integer.toString(fd));
    }

    /**
     * Returns whether this memory is in no file system that anybody mounted: a memfd, SysV or
     * anonymous shared memory. inotify hears nothing of it but a change of its size.
     *
     * @return true for such memory; a file that was unlinked has been in one
     */
    public boolean isUnnamed() {
        try {
            return isUnnamed(Files.readSymbolicLink(procPath()).toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Tells the same by what {@code /proc} shows of a descriptor or mapping.
     *
     * @param path as the kernel writes it
     * @return true for memory of the kernel's own, nameless file system
     */
    public static boolean isUnnamed(String path) {
        return path.endsWith(" (deleted)") && (path.startsWith("/memfd:")
                || path.startsWith("/SYSV") || path.equals("/dev/zero (deleted)")
                || path.startsWith("/anon_hugepage"));
    }

    /**
     * Returns whether a descriptor that is open for writing can still be written by: a memfd may
     * be sealed against that, while its mappings stay writable (F_SEAL_FUTURE_WRITE).
     *
     * @return false where a seal forbids every write but through a mapping
     */
    public boolean isWritableByDescriptor() {
        // Not a memfd: EINVAL, no seals.
        long seals = Native.call(Call.FCNTL, fd, F_GET_SEALS);
        return seals < 0 || (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) == 0;
    }

    /**
     * Maps a window, shared with every process that maps the file.
     *
     * @param offset multiple of the page size
     * @param length bytes, ≥ 1; may be more than 2 GiB; must end inside the file, or with the
     *               page that holds its last byte
     * @param arena  ends the mapping when it closes
     * @return read-only when the file was opened so; accessible as the arena is
     * @throws LinuxException when the kernel refuses
     */
    // Only here an address becomes memory: length is what was mapped, the arena unmaps it.
    @SuppressWarnings("restricted")
    public MemorySegment map(long offset, long length, Arena arena) throws LinuxException {
        checkRange(offset, length, (size + PAGE - 1) / PAGE * PAGE);
        int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
        long address = Native.check(Native.call(Call.MMAP, 0, length, protection, MAP_SHARED, fd,
                offset), "mmap", name);
        MemorySegment mapped = MemorySegment.ofAddress(address).reinterpret(length, arena,
                dead -> Native.call(Call.MUNMAP, address, length));
        return writable ? mapped : mapped.asReadOnly();
    }

    /**
     * Finds data. On hugetlbfs everything counts as data: its answer is not to be trusted.
     *
     * @param offset 0 … size
     * @return the first offset ≥ {@code offset} with storage, or {@link #size()} when none has
     * @throws LinuxException when the kernel refuses
     */
    public long nextData(long offset) throws LinuxException {
        return granule == PAGE ? seek(offset, SEEK_DATA) : Math.min(offset, size);
    }

    /**
     * Finds a hole. On hugetlbfs there is none.
     *
     * @param offset 0 … size
     * @return the first offset ≥ {@code offset} without storage, or {@link #size()} when none is
     * @throws LinuxException when the kernel refuses
     */
    public long nextHole(long offset) throws LinuxException {
        return granule == PAGE ? seek(offset, SEEK_HOLE) : size;
    }

    private long seek(long offset, int whence) throws LinuxException {
        if (offset >= size) {
            return size;
        }
        long found = Native.call(Call.LSEEK, fd, offset, whence);
        // ENXIO is the kernel's word for "none behind that offset".
        return found == -Native.ENXIO ? size
                : Math.min(size, Native.check(found, "lseek", name));
    }

    /**
     * Reads without a mapping: a hole reads as zeros and stays a hole.
     *
     * @param offset 0 … size
     * @param into   native memory
     * @param at     offset there of the first byte
     * @param bytes  at most so many
     * @return bytes read, less than asked for only at the end of the file
     * @throws LinuxException when the kernel refuses
     */
    public long read(long offset, MemorySegment into, long at, long bytes) throws LinuxException {
        if (into.isReadOnly()) {
            throw new IllegalArgumentException("reads into writable memory only");
        }
        return transfer(Call.PREAD64, offset, Native.addressOf(into, at, bytes), bytes);
    }

    /**
     * Writes without a mapping. A file that ends before is made longer.
     *
     * @param offset of the first byte
     * @param from   native memory
     * @param at     offset there of the first byte
     * @param bytes  how many
     * @throws LinuxException when the kernel refuses; ENOSPC means that the file system is full
     */
    public void write(long offset, MemorySegment from, long at, long bytes)
            throws LinuxException {
        transfer(Call.PWRITE64, offset, Native.addressOf(from, at, bytes), bytes);
    }

    private long transfer(Call call, long offset, long address, long bytes)
            throws LinuxException {
        return Native.check(Native.transfer(call, fd, offset, address, bytes), call.label(), name);
    }

    /**
     * Gives a range storage, content unchanged.
     *
     * @param offset ≥ 0
     * @param length bytes, ≥ 1; must end inside the file
     * @throws LinuxException when the kernel refuses; ENOSPC means that the file system is full
     */
    public void allocate(long offset, long length) throws LinuxException {
        fallocate(FALLOC_FL_KEEP_SIZE, offset, length);
    }

    private void fallocate(long mode, long offset, long length) throws LinuxException {
        checkRange(offset, length, size);
        long result;
        do {
            result = Native.call(Call.FALLOCATE, fd, mode, offset, length);
        } while (result == -Native.EINTR);
        Native.check(result, "fallocate", name);
    }

    /**
     * Gives storage back: the range reads as zeros from now on. No tracker reports that.
     *
     * @param offset ≥ 0
     * @param length bytes, ≥ 1; must end inside the file
     * @throws LinuxException when the kernel refuses, as it does for a file opened read-only
     */
    public void punchHole(long offset, long length) throws LinuxException {
        fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
    }

    /**
     * Gives every page of a window storage and an entry in the page table, content unchanged, so
     * that the first write later costs nothing. Takes about a second per GiB of holes.
     *
     * @param window a writable part of what {@link #map} gave, beginning on a page
     * @throws LinuxException when the kernel refuses; EFAULT means that the file system is full
     */
    public static void populate(MemorySegment window) throws LinuxException {
        long result;
        do {
            result = Native.call(Call.MADVISE, window.address(), window.byteSize(),
                    MADV_POPULATE_WRITE);
        } while (result == -Native.EINTR || result == -Native.EAGAIN);
        Native.check(result, "madvise", "populating " + window.byteSize() + " bytes");
    }

    private void checkRange(long offset, long length, long end) {
        if (offset < 0 || length < 1 || offset > end - length) {
            throw new IndexOutOfBoundsException(offset + " + " + length + " of " + size);
        }
    }

    /** Closes the descriptor; mappings stay. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Native.close(fd);
        }
    }
}
