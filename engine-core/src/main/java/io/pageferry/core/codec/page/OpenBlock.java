package io.pageferry.core.codec.page;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.PagedMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * The pages of a batch that wait to be compressed as one block of zstd. They stand in the directory
 * already, without bytes; the last one gets those of the block. Confined to one thread.
 */
final class OpenBlock implements AutoCloseable {
    /** What the blocks of a run of pages may be longer than their pages: one more, and one open. */
    private static final int RUN_OVERHEAD =
            (PagedMemory.RUN_PAGES / ZstdCodec.BLOCK_PAGES + 2) * ZstdCodec.OVERHEAD;

    private final ZstdCodec zstd = new ZstdCodec();
    private ByteBuffer pages;
    private MemorySegment pageMemory;
    private ByteBuffer frame;
    private MemorySegment frameMemory;
    private int count;
    private int lastEntry;

    /** How many wait. */
    int count() {
        return count;
    }

    boolean isFull() {
        return count == ZstdCodec.BLOCK_PAGES;
    }

    /** Adds a page, which lies at an offset of the batch's payload. */
    void add(PageBatch batch, int at, long page, int sum) {
        if (pages == null) {
            pages = ByteBuffer.allocateDirect(ZstdCodec.BLOCK_PAGES * PageCodec.PAGE);
            pageMemory = MemorySegment.ofBuffer(pages);
            frame = ByteBuffer.allocateDirect(ZstdCodec.frameRoom());
            frameMemory = MemorySegment.ofBuffer(frame);
        }
        MemorySegment.copy(batch.payload(), at, pageMemory, (long) count * PageCodec.PAGE,
                PageCodec.PAGE);
        count++;
        lastEntry = batch.count();
        batch.append(page, PageCodec.ZSTD, 0, sum);
        batch.reserve(room());
    }

    /** Bytes of payload that the block may need, and all those of the next run. */
    int room() {
        return count * PageCodec.PAGE + RUN_OVERHEAD;
    }

    /** Compresses what waits into the batch; returns the bytes that it became. */
    int compress(PageBatch batch) {
        int length = zstd.encode(pages, count, frame);
        if (length > count * PageCodec.PAGE + ZstdCodec.OVERHEAD) {
            throw new IllegalStateException("a frame of " + length + " bytes for " + count
                    + " pages");
        }
        MemorySegment.copy(frameMemory, 0, batch.payload(), batch.payloadBytes(), length);
        batch.complete(lastEntry, length);
        forget(batch);
        return length;
    }

    /** Drops what waits; its batch is given up. */
    void forget(PageBatch batch) {
        count = 0;
        batch.reserve(0);
    }

    @Override
    public void close() {
        zstd.close();
    }
}
