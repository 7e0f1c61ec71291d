package io.pageferry.core.codec.page;

import io.pageferry.core.codec.CodecChoice;
import org.agrona.concurrent.NanoClock;

/**
 * Decides for each page whether a try of LZ4 is worth its time. Two questions, apart.
 *
 * <p>Does this page shrink? Pages are of two sorts, by {@link PageProbe}. After a run of pages of
 * a sort that did not shrink, that sort passes raw, twice as many pages each time, and is then
 * tried again: content that does not shrink costs a try in {@link #MAX_SKIP} pages, and content
 * that changes is noticed within as many.
 *
 * <p>Does shrinking help? {@link CodecRates} knows. Where it does not, one page in {@link #SAMPLE}
 * or fewer is still treated as if it did, so that what LZ4 costs and brings stays known.
 *
 * <p>Confined to one thread.
 */
final class CodecChooser {
    /** Pages in a row without gain before skipping begins: one could be chance. */
    static final int PATIENCE = 8;

    /** Most pages of a sort passed raw between two tries. */
    static final int MAX_SKIP = 256;

    /** While pages pass raw, one in so many is a sample, at most: see {@link CodecRates}. */
    static final int SAMPLE = 64;

    /** While pages are compressed, the clock is read for one try in so many. */
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

    CodecChooser(CodecChoice choice, NanoClock clock) {
        this.choice = choice;
        this.clock = clock;
        this.rates = new CodecRates(clock);
    }

    /** How pages of one sort fared. */
    private static final class Sort {
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
            if (gained) {
                failures = 0;
                skip = 0;
            } else if (++failures >= PATIENCE) {
                skip = Math.min(MAX_SKIP, Math.max(PATIENCE, 2 * skip));
                left = skip;
            }
        }
    }

    /** {@return whether pages have to be probed at all} */
    boolean asksForLooks() {
        return choice == CodecChoice.ADAPTIVE
                && (rates.isCompressing() || (pages + 1) % rates.sampleEvery() == 0);
    }

    /**
     * Decides about the next page that is not zero.
     *
     * @param looksRandom the probe's result; it does not matter unless {@link #asksForLooks}
     * @return whether to try LZ4 on it; then {@link #tried} has to follow
     */
    boolean tryCompression(boolean looksRandom) {
        if (choice != CodecChoice.ADAPTIVE) {
            return choice == CodecChoice.LZ4;
        }
        boolean sample = asksForLooks();
        pages++;
        rates.page();
        if (!sample) {
            return false;
        }
        trying = looksRandom ? noisy : ordered;
        if (!trying.isWorthATry()) {
            rates.sampled(false, PageCodec.PAGE);
            return false;
        }
        timed = !rates.isCompressing() || tries % TIMED == 0;
        tries++;
        if (timed) {
            tryStart = clock.nanoTime();
        }
        return true;
    }

    /** Learns how a try went: its encoded length or {@link PageCodec#NO_GAIN}. */
    void tried(int length) {
        if (choice != CodecChoice.ADAPTIVE) {
            return;
        }
        if (timed) {
            rates.tryTook(clock.nanoTime() - tryStart);
        }
        boolean gained = length != PageCodec.NO_GAIN;
        trying.tried(gained);
        rates.sampled(true, gained ? length : PageCodec.PAGE);
    }

    /** What is known of rates; it is notified of each batch. */
    CodecRates rates() {
        return rates;
    }
}
