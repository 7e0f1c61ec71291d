package io.pageferry.agent.host.disk;

import io.pageferry.core.memory.PageGeometry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A disk that this process reads and writes, wherever it lies. Offsets and lengths are in bytes.
 * Calls wait for the disk; any thread, several at once, each with whole pages of memory that begin
 * on a page and that any thread may use. What the last page has behind the end of the disk reads
 * as zeros, and is not written.
 */
public interface Disk extends AutoCloseable {
    /** Most bytes of one call: beyond it no device gets faster. */
    int RUN_BYTES = 1 << 20;

    /** {@return how a guard, or the next command, finds it: a path or a URI} */
    String address();

    /** {@return the last part of that, which tells it from others of its guest} */
    String label();

    /** {@return what no other disk of this host has} */
    String identity();

    /** {@return whether its size is given; else it is a file, which can be made longer} */
    boolean isDevice();

    /** {@return bytes when it was opened} */
    long size();

    /** {@return bytes of a logical sector} */
    int sectorBytes();

    /** {@return bytes of it that are used, from the first on} */
    long bytes();

    /**
     * Uses a part of it; what is behind is neither read nor written.
     *
     * @param most bytes, 1 … {@link #size}; of a device a multiple of its sector
     * @throws IOException where it has to be made for that, and cannot be
     */
    void use(long most) throws IOException;

    /**
     * Returns whether it still is as long as it was. Does not wait.
     *
     * @return false once it was detached or changed
     */
    boolean isUnchanged();

    /**
     * Reads pages.
     *
     * @param offset of the first, a multiple of 4096
     * @param into   aligned memory
     * @param at     offset there, likewise
     * @param length whole pages; the last may end behind the disk
     * @throws io.pageferry.agent.host.linux.LinuxException when these cannot be read
     * @throws IOException when nothing can be any more
     */
    void read(long offset, MemorySegment into, long at, long length) throws IOException;

    /**
     * Finds the first sector of a page that cannot be read.
     *
     * @param offset of the page
     * @param memory aligned, of a page
     * @return its number in units of 512 bytes, as the kernel's log has it
     */
    long badSector(long offset, MemorySegment memory);

    /**
     * Writes pages.
     *
     * @param offset of the first, a multiple of 4096
     * @param from   aligned memory
     * @param at     offset there, likewise
     * @param length whole pages; the last may end behind the disk
     * @throws IOException when it cannot be written
     */
    void write(long offset, MemorySegment from, long at, long length) throws IOException;

    /**
     * Makes pages zero, without storage where the disk can do that.
     *
     * @param offset of the first, a multiple of 4096
     * @param length whole pages; the last may end behind the disk
     * @throws IOException when it cannot be written
     */
    void zero(long offset, long length) throws IOException;

    /**
     * Waits until all that was written is on the medium.
     *
     * @throws IOException when it is not
     */
    void sync() throws IOException;

    /**
     * Finds data. Does not wait.
     *
     * @param offset 0 … {@link #bytes}
     * @return the first offset &ge; {@code offset} that may hold data, or {@link #bytes}
     * @throws IOException when it cannot be told
     */
    long nextData(long offset) throws IOException;

    /**
     * Finds a hole. Does not wait.
     *
     * @param offset 0 … {@link #bytes}
     * @return the first offset &ge; {@code offset} that reads as zeros, or {@link #bytes}
     * @throws IOException when it cannot be told
     */
    long nextHole(long offset) throws IOException;

    /**
     * Makes its first MiB zero, durable on return.
     *
     * @throws IOException when it cannot be written
     */
    default void blankHead() throws IOException {
        try (Arena arena = Arena.ofShared()) {
            write(0, arena.allocate(headBytes(), PageGeometry.PAGE_SIZE), 0, headBytes());
        }
        sync();
    }

    /**
     * Returns whether its first MiB is zero.
     *
     * @return whether it is
     * @throws IOException when it cannot be read
     */
    default boolean isHeadBlank() throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment head = arena.allocate(headBytes(), PageGeometry.PAGE_SIZE);
            MemorySegment zeros = arena.allocate(headBytes());
            read(0, head, 0, head.byteSize());
            return head.mismatch(zeros) == -1;
        }
    }

    /**
     * Gives up what was begun. What was there before stays as it is now.
     *
     * @return whether it was made for this alone, and is gone once it is closed
     */
    default boolean discard() {
        return false;
    }

    /** {@return bytes of its first MiB, in whole pages} */
    default long headBytes() {
        return Math.min(RUN_BYTES, PageGeometry.bytesOf(PageGeometry.pagesFor(bytes())));
    }

    /** Lets go of it. Idempotent; no call may be under way. */
    @Override
    void close();
}
