package io.pageferry.core.memory;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * CRC32C of every page of a guest, 4 B a page off-heap, and the digest of them all, kept up at each
 * change. Starts as a guest of zeros. Confined to one thread, but for {@link #put} and
 * {@link #get}; owns its memory until closed.
 *
 * <p>Memory is taken in chunks of {@link #CHUNK_PAGES} pages when a page in them first differs from
 * zeros: a sparse guest's table costs what was written, not what could be.
 */
public final class ChecksumTable implements AutoCloseable {
    /** Pages of one chunk: 256 KiB of table for 256 MiB of guest. */
    static final int CHUNK_PAGES = 1 << 16;

    private static final int CHUNK_SHIFT = 16;

    private final Arena arena = Arena.ofShared();
    private final AtomicReferenceArray<MemorySegment> chunks;
    private final long pages;
    private long digest;

    /**
     * Makes the table of a guest of zeros.
     *
     * @param pages pages of the guest, ≥ 1
     */
    public ChecksumTable(long pages) {
        this.pages = pages;
        this.chunks = new AtomicReferenceArray<>(Math.toIntExact((pages >>> CHUNK_SHIFT) + 1));
        this.digest = digestOf(0, pages);
    }

    /**
     * Notes a page.
     *
     * @param page global index
     * @param crc  CRC32C of its bytes
     */
    public void set(long page, int crc) {
        digest += put(page, crc);
    }

    /**
     * Notes a page, and leaves the digest as it was: for threads that note different pages at the
     * same time, and tell the owner of the table by how much the digest changes.
     *
     * @param page global index; noted by one thread at a time
     * @param crc  CRC32C of its bytes
     * @return what {@link #changeDigest} has to be told
     */
    public long put(long page, int crc) {
        int before = get(page);
        if (before == crc) {
            return 0;
        }
        chunkFor(page).setAtIndex(JAVA_INT, page & CHUNK_PAGES - 1, crc);
        return ImageDigest.term(page, crc) - ImageDigest.term(page, before);
    }

    /**
     * Adds to the digest what pages changed that were noted by {@link #put}.
     *
     * @param by the sum of its answers
     */
    public void changeDigest(long by) {
        digest += by;
    }

    /**
     * Reads a page's checksum.
     *
     * @param page global index
     * @return CRC32C of its bytes
     */
    public int get(long page) {
        if (page < 0 || page >= pages) {
            throw new IndexOutOfBoundsException("page " + page + " of " + pages);
        }
        MemorySegment chunk = chunks.getAcquire((int) (page >>> CHUNK_SHIFT));
        return chunk == null
                ? PageChecksum.OF_ZEROS
                : chunk.getAtIndex(JAVA_INT, page & CHUNK_PAGES - 1);
    }

    /**
     * Notes that pages are zero. Costs little where no page of them ever was anything else.
     *
     * @param first first page
     * @param end   page after the last
     */
    public void setZero(long first, long end) {
        long page = first;
        while (page < end) {
            if (chunks.getAcquire((int) (page >>> CHUNK_SHIFT)) == null) {
                page = (page | CHUNK_PAGES - 1) + 1;
            } else {
                set(page++, PageChecksum.OF_ZEROS);
            }
        }
    }

    /** {@return pages covered} */
    public long pages() {
        return pages;
    }

    /** {@return the digest of all pages} */
    public long digest() {
        return digest;
    }

    /**
     * Sums part of the table.
     *
     * @param first first page
     * @param end   page after the last
     * @return digest of these pages alone
     */
    public long digestOf(long first, long end) {
        long sum = 0;
        for (long page = first; page < end; page++) {
            sum += ImageDigest.term(page, get(page));
        }
        return sum;
    }

    /**
     * Sums the table in equal blocks, so that two sides can find where they differ.
     *
     * @param blockPages pages in a block, the last may be shorter
     * @return one digest for each block
     */
    public long[] blockDigests(long blockPages) {
        int blocks = Math.toIntExact((pages + blockPages - 1) / blockPages);
        long[] digests = new long[blocks];
        for (int i = 0; i < blocks; i++) {
            digests[i] = digestOf(i * blockPages, Math.min(pages, (i + 1) * blockPages));
        }
        return digests;
    }

    private MemorySegment chunkFor(long page) {
        int index = (int) (page >>> CHUNK_SHIFT);
        MemorySegment chunk = chunks.getAcquire(index);
        return chunk == null ? makeChunk(index) : chunk;
    }

    private synchronized MemorySegment makeChunk(int index) {
        if (chunks.getAcquire(index) == null) {
            MemorySegment chunk = arena.allocate((long) CHUNK_PAGES * Integer.BYTES, Integer.BYTES);
            for (int i = 0; i < CHUNK_PAGES; i++) {
                chunk.setAtIndex(JAVA_INT, i, PageChecksum.OF_ZEROS);
            }
            chunks.setRelease(index, chunk);
        }
        return chunks.getAcquire(index);
    }

    /** Frees the memory. Idempotent. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
