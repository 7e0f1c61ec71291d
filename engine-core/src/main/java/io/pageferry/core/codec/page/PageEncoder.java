package io.pageferry.core.codec.page;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.dirty.SentPages;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.agrona.concurrent.NanoClock;

/**
 * Puts live pages into batches. The guest may write a page at any moment, so it is copied once, to
 * where it is needed anyway, and zero test, checksum and compression all look at that copy.
 * Confined to one thread.
 */
public final class PageEncoder {
    /** Answer of {@link #encode}: zeros that the target holds already. */
    public static final long SKIPPED = -1;

    private final PageCodec lz4 = new Lz4Codec();
    private final PageChecksum checksum = new PageChecksum();
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(PageCodec.PAGE);
    private final MemorySegment scratchMemory = MemorySegment.ofBuffer(scratch);
    private final CodecChooser chooser;
    private long copyFirst;
    private int copyAt;

    /**
     * Makes an encoder.
     *
     * @param choice the codecs it may use
     * @param clock  monotonic; measures what compressing costs and what the sink takes
     */
    public PageEncoder(CodecChoice choice, NanoClock clock) {
        this.chooser = new CodecChooser(choice, clock);
    }

    /**
     * Copies a run of pages, none of them a hole that must not be read, to where a batch goes on.
     * Each is then encoded by {@link #encode}, in their order, before anything else is done with
     * the batch.
     *
     * @param memory live, read once
     * @param page   global index of the first
     * @param count  pages, 1 … {@link PageBatch#room}; all in the batch's region
     * @param batch  of their region
     * @return pages copied, from the first on, or {@link PagedMemory#NOT_YET}
     */
    public int copy(PageSource memory, long page, int count, PageBatch batch) {
        copyAt = batch.payloadBytes();
        copyFirst = page;
        return memory.read(page, count, batch.payload(), copyAt);
    }

    /**
     * Encodes a page of those copied last into their batch. An empty answer appends nothing.
     *
     * @param page      global index
     * @param batch     theirs
     * @param skipZeros whether the target holds zeros there, so that zeros need no sending
     * @param observer  sees the bytes before they are compressed in their place
     * @return codec and checksum, for {@link #codecOf} and {@link #checksumOf}, or
     *         {@link #SKIPPED} for zeros that need no sending
     */
    public long encode(long page, PageBatch batch, boolean skipZeros, SentPages observer) {
        int at = copyAt + (int) (page - copyFirst) * PageCodec.PAGE;
        if (ZeroCodec.isZero(batch.payload(), at)) {
            return encodeHole(page, batch, skipZeros, observer);
        }
        observer.sent(page, batch.payload(), at);
        int sum = checksum.of(batch.payloadBuffer(), at);
        return encoded(compress(batch, at, page, sum), sum);
    }

    /**
     * Does the same for a page that holds zeros, and was not copied where it is a hole.
     *
     * @param page      global index
     * @param batch     has room; of the page's region
     * @param skipZeros whether the target holds zeros there
     * @param observer  is notified when it is sent
     * @return as {@link #encode}
     */
    public long encodeHole(long page, PageBatch batch, boolean skipZeros, SentPages observer) {
        if (skipZeros) {
            return SKIPPED;
        }
        observer.sentZero(page);
        batch.append(page, PageCodec.ZERO, 0, PageChecksum.OF_ZEROS);
        return encoded(PageCodec.ZERO, PageChecksum.OF_ZEROS);
    }

    /**
     * Reads the answer of {@link #encode}.
     *
     * @param encoded an answer with a codec
     * @return the codec's id
     */
    public static int codecOf(long encoded) {
        return (int) (encoded >>> Integer.SIZE);
    }

    /**
     * Reads the answer of {@link #encode}.
     *
     * @param encoded an answer with a codec
     * @return CRC32C of the page, as its receiver will decode it
     */
    public static int checksumOf(long encoded) {
        return (int) encoded;
    }

    private static long encoded(int codec, int sum) {
        return (long) codec << Integer.SIZE | Integer.toUnsignedLong(sum);
    }

    private int compress(PageBatch batch, int at, long page, int sum) {
        boolean looksRandom = chooser.asksForLooks()
                && PageProbe.looksRandom(batch.payloadBuffer(), at);
        if (chooser.tryCompression(looksRandom)) {
            int length = lz4.encode(batch.payloadBuffer(), at, scratch, 0);
            chooser.tried(length);
            if (length != PageCodec.NO_GAIN) {
                MemorySegment.copy(scratchMemory, 0, batch.payload(), batch.payloadBytes(),
                        length);
                batch.append(page, PageCodec.LZ4, length, sum);
                return PageCodec.LZ4;
            }
        }
        if (at != batch.payloadBytes()) {
            // Pages before it took less than they have: it moves up.
            MemorySegment.copy(batch.payload(), at, batch.payload(), batch.payloadBytes(),
                    PageCodec.PAGE);
        }
        batch.append(page, PageCodec.RAW, PageCodec.PAGE, sum);
        return PageCodec.RAW;
    }

    /** Notes that a round begins: nothing was encoded for a while. */
    public void roundBegins() {
        chooser.rates().roundBegins();
    }

    /**
     * Notes how the sink answered when it was asked for a slot.
     *
     * @param got whether there was one
     */
    public void claimed(boolean got) {
        chooser.rates().claimed(got);
    }

    /**
     * Notes that a batch was committed.
     *
     * @param batch          as it was encoded here
     * @param unacknowledged batches that the target has not applied yet, this one among them
     */
    public void committed(PageBatch batch, int unacknowledged) {
        chooser.rates().committed(batch.bytes(), unacknowledged);
    }
}
