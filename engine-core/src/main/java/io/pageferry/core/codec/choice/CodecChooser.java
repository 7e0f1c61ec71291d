package io.pageferry.core.codec.choice;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.memory.PageGeometry;
import java.nio.ByteBuffer;
import org.agrona.concurrent.NanoClock;

/**
 * Decides for each page whether a try of a compressor is worth its time. Three questions, apart.
 *
 * <p>Does this page shrink? Pages are of two sorts, by {@link PageProbe}. After a run of pages of
 * a sort that did not shrink, that sort passes raw, twice as many pages each time, and is then
 * tried again: content that does not shrink costs a try in {@link #MAX_SKIP} pages, and content
 * that changes is noticed within as many.
 *
 * <p>Does shrinking help, and LZ4 or zstd more? {@link CodecRates} knows. While pages go raw, one
 * in {@link #SAMPLE} or fewer is still treated as if LZ4 were on; while they go by one compressor,
 * the other gets a share as small, so that what each costs and brings stays known.
 *
 * <p>Confined to one thread.
 */
public final class CodecChooser {
    /** Pages in a row without gain before skipping begins: one could be chance. */
    static final int PATIENCE = 8;

    /** Most pages of a sort passed raw between two tries. */
    static final int MAX_SKIP = 256;

    /** While pages pass raw, one in so many is a sample, at most: see {@link CodecRates}. */
    static final int SAMPLE = 64;

    /** While pages go as LZ4, one block of so many pages is a sample of zstd. */
    static final int BLOCK_SAMPLE = 2_048;

    /** The first samples come as often as those of LZ4: something has to be known. */
    private static final int FIRST_BLOCKS = 4;

    /** Bytes of every page. */
    private static final int PAGE = PageGeometry.PAGE_SIZE;

    /** While pages are compressed, the clock is read for one try of LZ4 in so many. */
    private static final int TIMED = 16;

    private final CodecChoice choice;
    private final NanoClock clock;
    private final CodecRates rates;
    private final Sort noisy = new Sort();
    private final Sort ordered = new Sort();
    private Sort trying;
    private long pages;
    private long tries;
    private long tryStart;
    private boolean timed;
    private boolean blocksAllowed;
    private boolean sampling;
    private int untilBlockSample;
    private long blocks;
    private long deltas;

    /**
     * Makes a chooser that takes zstd for not allowed.
     *
     * @param choice what it may choose from
     * @param clock  monotonic; measures what compressing costs and what the sink takes
     */
    public CodecChooser(CodecChoice choice, NanoClock clock) {
        this.choice = choice;
        this.clock = clock;
        this.rates = new CodecRates(clock);
    }

    /** How pages of one sort fared. */
    private static final class Sort {
        private boolean shrinks;
        private int failures;
        private int skip;
        private int left;

        boolean isWorthATry() {
            if (left > 0) {
                left--;
                return false;
            }
            return true;
        }

        void tried(boolean gained) {
            shrinks = gained;
            if (gained) {
                failures = 0;
                skip = 0;
            } else if (++failures >= PATIENCE) {
                skip = Math.min(MAX_SKIP, Math.max(PATIENCE, 2 * skip));
                left = skip;
            }
        }
    }

    /** Allows blocks of zstd: both sides have it. */
    public void allowBlocks() {
        blocksAllowed = choice == CodecChoice.ADAPTIVE || choice == CodecChoice.ZSTD;
    }

    /**
     * Returns whether pages are compressed at present, by whatever.
     *
     * @return whether what changed of a page is worth a try
     */
    public boolean compresses() {
        return choice != CodecChoice.NONE
                && (choice != CodecChoice.ADAPTIVE || rates.isCompressing());
    }

    /** Notes that what changed of a page is about to be compressed. */
    public void deltaBegins() {
        timed = deltas++ % TIMED == 0;
        if (timed) {
            tryStart = clock.nanoTime();
        }
    }

    /**
     * Notes that it was.
     *
     * @param length what the page became, or 4096 where it was too different
     */
    public void deltaEnds(int length) {
        if (choice != CodecChoice.ADAPTIVE) {
            return;
        }
        if (timed) {
            rates.deltaTook(clock.nanoTime() - tryStart);
        }
        if (length < PAGE) {
            pages++;
            rates.page();
            rates.deltaMade(length);
        }
    }

    /**
     * Returns whether the next pages may join a block.
     *
     * @return true where {@link #attempt} may answer {@link Attempt#ZSTD}
     */
    public boolean wantsBlocks() {
        return blocksAllowed && (choice == CodecChoice.ZSTD || sampling || rates.isZstd()
                || rates.isCompressing() && untilBlockSample <= 0);
    }

    /**
     * Decides about the next page that is not zero.
     *
     * @param page   holds it
     * @param pageAt its offset there
     * @param blocks whether it may join a block
     * @return what to try on it; {@link #tried} has to follow where that is LZ4
     */
    public Attempt attempt(ByteBuffer page, int pageAt, boolean blocks) {
        return attempt(choice == CodecChoice.ADAPTIVE && asksForLooks()
                && PageProbe.looksRandom(page, pageAt), blocks);
    }

    private Attempt fixed() {
        return switch (choice) {
            case NONE -> Attempt.NONE;
            case ZSTD -> blocksAllowed ? Attempt.ZSTD : Attempt.LZ4;
            default -> Attempt.LZ4;
        };
    }

    /** Whether the next page has to be probed at all. */
    private boolean asksForLooks() {
        return rates.isCompressing() || (pages + 1) % rates.sampleEvery() == 0;
    }

    /** Decides by what the probe said; it does not matter unless {@link #asksForLooks}. */
    Attempt attempt(boolean looksRandom, boolean blocks) {
        if (choice != CodecChoice.ADAPTIVE) {
            return fixed();
        }
        boolean sample = asksForLooks();
        pages++;
        rates.page();
        if (!sample) {
            return Attempt.NONE;
        }
        trying = looksRandom ? noisy : ordered;
        boolean worth = trying.isWorthATry();
        rates.sorted(worth);
        if (!worth) {
            return Attempt.NONE;
        }
        // What did not shrink last is tried alone: in a block it would hide behind others.
        if (trying.shrinks && isForBlocks() && blocks) {
            return Attempt.ZSTD;
        }
        timed = !rates.isCompressing() || rates.isZstd() || tries % TIMED == 0;
        tries++;
        if (timed) {
            tryStart = clock.nanoTime();
        }
        return Attempt.LZ4;
    }

    private boolean isForBlocks() {
        if (rates.isZstd()) {
            return pages % SAMPLE != 0;
        }
        sampling |= rates.isCompressing() && --untilBlockSample < 0;
        return sampling;
    }

    /**
     * Learns how a try of LZ4 went.
     *
     * @param length what the page became, or 4096 where it is sent as it was
     */
    public void tried(int length) {
        if (choice != CodecChoice.ADAPTIVE) {
            return;
        }
        if (timed) {
            rates.tryTook(clock.nanoTime() - tryStart);
        }
        trying.tried(length < PAGE);
        rates.tried(length);
    }

    /** Notes that a block is about to be compressed. */
    public void blockBegins() {
        tryStart = clock.nanoTime();
    }

    /**
     * Notes that it was.
     *
     * @param count  pages of the block
     * @param length bytes that they became together
     */
    public void blockEnds(int count, int length) {
        if (choice != CodecChoice.ADAPTIVE) {
            return;
        }
        // The first one makes the compressor, and runs it cold.
        rates.blockTook(count, clock.nanoTime() - tryStart, blocks++ > 0);
        rates.blockMade(count, length);
        if (length > count * (PAGE - PAGE / 8)) {
            // Which of its pages did not shrink is not known: those tried alone will tell.
            noisy.tried(false);
            ordered.tried(false);
        }
        sampling = false;
        untilBlockSample = blocks < FIRST_BLOCKS ? SAMPLE : BLOCK_SAMPLE;
    }

    /** {@return what is known of rates; it is notified of each batch} */
    public CodecRates rates() {
        return rates;
    }
}
