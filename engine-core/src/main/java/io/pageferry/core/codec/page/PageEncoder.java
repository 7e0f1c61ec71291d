package io.pageferry.core.codec.page;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.PageChecksum;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.agrona.concurrent.NanoClock;

/**
 * Puts live pages into batches. The guest may write a page at any moment, so it is copied once, to
 * where it is needed anyway, and zero test, checksum and compression all look at that copy.
 * Confined to one thread.
 */
public final class PageEncoder {
    private final PageCodec lz4 = new Lz4Codec();
    private final PageChecksum checksum = new PageChecksum();
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(PageCodec.PAGE);
    private final MemorySegment scratchMemory = MemorySegment.ofBuffer(scratch);
    private final CodecChooser chooser;
    private int lastChecksum;

    /**
     * Makes an encoder.
     *
     * @param choice the codecs it may use
     * @param clock  monotonic; tells what compressing costs and what the sink takes
     */
    public PageEncoder(CodecChoice choice, NanoClock clock) {
        this.chooser = new CodecChooser(choice, clock);
    }

    /**
     * Copies a page into a batch that has room, and looks whether it is zero. Nothing is appended
     * yet: {@link #appendCopied} or {@link #appendZero} does that.
     *
     * @param memory the live memory of its region
     * @param offset where the page begins there
     * @param batch  has room
     * @return whether the copy is all zero
     */
    public boolean copyIsZero(MemorySegment memory, long offset, PageBatch batch) {
        MemorySegment.copy(memory, offset, batch.payload(), batch.payloadBytes(), PageCodec.PAGE);
        return ZeroCodec.isZero(batch.payload(), batch.payloadBytes());
    }

    /**
     * Appends a page of zeros.
     *
     * @param batch has room
     * @param page  global index
     */
    public void appendZero(PageBatch batch, long page) {
        lastChecksum = PageChecksum.OF_ZEROS;
        batch.append(page, PageCodec.ZERO, 0);
    }

    /**
     * Encodes and appends the page that {@link #copyIsZero} copied.
     *
     * @param batch the same batch, nothing appended since
     * @param page  global index
     * @return id of the codec that was used
     */
    public int appendCopied(PageBatch batch, long page) {
        int at = batch.payloadBytes();
        lastChecksum = checksum.of(batch.payloadBuffer(), at);
        boolean looksRandom = chooser.asksForLooks()
                && PageProbe.looksRandom(batch.payloadBuffer(), at);
        if (chooser.tryCompression(looksRandom)) {
            int length = lz4.encode(batch.payloadBuffer(), at, scratch, 0);
            chooser.tried(length);
            if (length != PageCodec.NO_GAIN) {
                MemorySegment.copy(scratchMemory, 0, batch.payload(), at, length);
                batch.append(page, PageCodec.LZ4, length);
                return PageCodec.LZ4;
            }
        }
        batch.appendSummed(page, PageCodec.RAW, lastChecksum);
        return PageCodec.RAW;
    }

    /** Hears that a round begins: nothing was encoded for a while. */
    public void roundBegins() {
        chooser.rates().roundBegins();
    }

    /**
     * Hears how the sink answered when it was asked for a slot.
     *
     * @param got whether there was one
     */
    public void claimed(boolean got) {
        chooser.rates().claimed(got);
    }

    /**
     * Hears that a batch was committed.
     *
     * @param batch          as it was encoded here
     * @param unacknowledged batches that the target has not applied yet, this one among them
     */
    public void committed(PageBatch batch, int unacknowledged) {
        chooser.rates().committed(batch.payloadBytes() + batch.count() * Long.BYTES,
                unacknowledged);
    }

    /**
     * Tells what was sent.
     *
     * @return CRC32C of the last page appended, as its receiver will decode it
     */
    public int lastChecksum() {
        return lastChecksum;
    }
}
