package io.pageferry.core.codec.page;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.choice.Attempt;
import io.pageferry.core.codec.choice.CodecChooser;
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
 * Confined to one thread; has memory until closed.
 */
public final class PageEncoder implements AutoCloseable {
    /** Answer of {@link #encode}: zeros that the target holds already. */
    public static final long SKIPPED = -1;

    private final PageCodec lz4 = new Lz4Codec();
    private final PageChecksum checksum = new PageChecksum();
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(PageCodec.PAGE);
    private final MemorySegment scratchMemory = MemorySegment.ofBuffer(scratch);
    private final CodecChooser chooser;
    private final OpenBlock block = new OpenBlock();
    private final DeltaCodec delta = new DeltaCodec(lz4);
    private final SentPageCache cache;
    private boolean deltas;
    private boolean again;
    private boolean intoBlocks;
    private long copyFirst;
    private int copyAt;

    /**
     * Makes an encoder of zero, raw and LZ4; {@link #allow} adds to them.
     *
     * @param choice     the codecs it may use
     * @param cacheBytes most bytes of sent pages to keep, so that what changed of one can be sent
     * @param clock      monotonic; measures what compressing costs and what the sink takes
     */
    public PageEncoder(CodecChoice choice, long cacheBytes, NanoClock clock) {
        this.chooser = new CodecChooser(choice, clock);
        this.cache = new SentPageCache(cacheBytes);
    }

    /**
     * Allows what the target has, too.
     *
     * @param zstd   pages in blocks of zstd; used where this side has it
     * @param deltas pages as what changed of them
     */
    public void allow(boolean zstd, boolean deltas) {
        if (zstd && ZstdCodec.isAvailable()) {
            chooser.allowBlocks();
        }
        this.deltas = deltas;
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
        intoBlocks = chooser.wantsBlocks();
        // Behind what the open block may become: pages are compressed to before this copy.
        batch.reserve(intoBlocks || block.count() > 0 ? block.room() : 0);
        if (batch.room() == 0) {
            finish(batch);
            intoBlocks = false;
            batch.reserve(0);
        }
        copyAt = batch.payloadBytes() + batch.reserved();
        copyFirst = page;
        return memory.read(page, Math.min(count, batch.room()), batch.payload(), copyAt);
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
        cache.drop(page);
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
        if (deltas && again && chooser.compresses()) {
            int slot = cache.slotOf(page);
            int length = slot < 0 ? PageCodec.NO_GAIN : difference(batch, at, slot);
            int base = slot < 0 ? 0 : cache.sum(slot);
            cache.keep(page, batch.payload(), at, sum);
            if (length != PageCodec.NO_GAIN) {
                append(batch, page, PageCodec.DELTA, length, sum);
                batch.refer(base);
                return PageCodec.DELTA;
            }
        } else {
            cache.drop(page);
        }
        Attempt attempt = chooser.attempt(batch.payloadBuffer(), at, intoBlocks);
        if (attempt == Attempt.ZSTD) {
            block.add(batch, at, page, sum);
            if (block.isFull()) {
                closeBlock(batch);
            }
            return PageCodec.ZSTD;
        }
        if (attempt == Attempt.LZ4) {
            int length = lz4.encode(batch.payloadBuffer(), at, scratch, 0);
            chooser.tried(length == PageCodec.NO_GAIN ? PageCodec.PAGE : length);
            if (length != PageCodec.NO_GAIN) {
                append(batch, page, PageCodec.LZ4, length, sum);
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

    private int difference(PageBatch batch, int at, int slot) {
        chooser.deltaBegins();
        int length = delta.encode(batch.payload(), at, cache.memory(slot),
                cache.offset(slot), scratch);
        chooser.deltaEnds(length == PageCodec.NO_GAIN ? PageCodec.PAGE : length);
        return length;
    }

    /** Appends a page that was encoded to the scratch memory. */
    private void append(PageBatch batch, long page, int codec, int length, int sum) {
        MemorySegment.copy(scratchMemory, 0, batch.payload(), batch.payloadBytes(), length);
        batch.append(page, codec, length, sum);
    }

    private void closeBlock(PageBatch batch) {
        int pages = block.count();
        chooser.blockBegins();
        chooser.blockEnds(pages, block.compress(batch));
    }

    /**
     * Completes a batch: before it is committed.
     *
     * @param batch that the last pages were encoded into
     */
    public void finish(PageBatch batch) {
        if (block.count() > 0) {
            closeBlock(batch);
        }
    }

    /**
     * Forgets what a batch waits for that is given up.
     *
     * @param batch that the last pages were encoded into
     */
    public void abandon(PageBatch batch) {
        block.forget(batch);
    }

    /**
     * Notes that a round begins: nothing was encoded for a while.
     *
     * @param pagesComeAgain whether its pages were sent before: who comes again may do so often
     */
    public void roundBegins(boolean pagesComeAgain) {
        again = pagesComeAgain;
        chooser.rates().roundBegins();
    }

    /**
     * Notes how the sink answered when it was asked for a slot.
     *
     * @param got    whether there was one
     * @param behind where not, whether it waits for the target and not for the link
     */
    public void claimed(boolean got, boolean behind) {
        chooser.rates().claimed(got, behind);
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

    /**
     * Forgets what was sent of a page: whether it arrived is not known.
     *
     * @param page global index
     */
    public void forget(long page) {
        cache.drop(page);
    }

    /**
     * Forgets what was sent of a page that arrived as something else, and sends it whole ever
     * after.
     *
     * @param page global index
     */
    public void distrust(long page) {
        cache.distrust(page);
    }

    /** Frees the memory. Idempotent. */
    @Override
    public void close() {
        cache.close();
        block.close();
    }
}
