package io.pageferry.core.codec.page;

import org.agrona.concurrent.NanoClock;

/**
 * Knows whether compressing helps: whichever way makes {@code max(processor time, wire time)} of a
 * page smaller, from what was measured of late.
 *
 * <p>The measure is a span: between two moments at which the sink was full, exactly what was
 * committed was also taken by link and target, so span ÷ bytes is their pace and span ÷ pages the
 * cost of a page. A sink that took {@link #CALM_BATCHES} batches without ever being full is
 * faster than the processor here; how much faster only a trial of raw pages can show, so one is
 * made, and after one that did not help the next waits twice as long.
 *
 * <p>A target may be the one that is slow, and by the page and not by the byte: then raw bytes go
 * faster than compressed ones. {@link #rawGain} is by how much, learned from a trial. On a link so
 * slow that no target could be slower there is no such trial.
 *
 * <p>Nothing is learned across the begin of a round: between two rounds no page is encoded.
 * Confined to one thread.
 */
final class CodecRates {
    /** Batches taken by the sink, and it was never full. */
    static final int CALM_BATCHES = 4;

    /** A span below that is mostly chance: two full batches. */
    static final long SPAN_BYTES = 1 << 20;

    /** Or so long: a slow link carries less in it. */
    static final long SPAN_NANOS = 250_000_000L;

    /** Most spans between two trials. */
    static final int MAX_PATIENCE = 64;

    /** A way that is better by less than that is not worth the change. */
    static final double WORTH = 0.95;

    /** Bytes a second above which the target may be what is slow: every target decodes faster. */
    static final double FAST_LINK = 256 << 20;

    /**
     * Below that rate a trial is made only where the processor is busy for most of a span: beside
     * a link that is really slow it idles.
     */
    private static final double BUSY_SHARE = 0.5;

    /** Such a trial fills a window of a link that may be slow: it waits so many times its time. */
    private static final long SLOW_TRIAL_REST = 64;

    /** One page in so many is a sample, or four times fewer where that costs more than this. */
    private static final int SAMPLE = CodecChooser.SAMPLE;
    private static final double SAMPLE_COST = 0.02;

    /** A sink that was full for less of a span than this is not what holds us up. */
    private static final double CALM_SHARE = 0.1;

    private static final double MOST_GAIN = 8;
    private static final double RAW_BYTES = PageCodec.PAGE + Long.BYTES;
    private static final double SAMPLE_WEIGHT = 1.0 / 64;
    private static final double TRY_WEIGHT = 1.0 / 16;
    private static final double SPAN_WEIGHT = 0.5;

    /** Beyond so many times the usual, a reading holds another thread's turn on the processor. */
    private static final double OUTLIER = 8;

    private final NanoClock clock;
    private boolean compressing = true;

    // Believed, in nanoseconds or bytes of one page; the link's in bytes a second, 0 unknown.
    private double baseNanos;
    private double tryNanos;
    private double triedShare = 1;
    private double encodedBytes = RAW_BYTES / 2;
    private double linkRate;
    private double rawGain = 1;

    // The span under way.
    private boolean measuring;
    private long spanStart;
    private long spanPages;
    private long spanTries;
    private long spanWire;
    private long spanDrained;
    private long blockedNanos;
    private long blockedSince;
    private boolean blocked;

    private long committed;
    private long drained;
    private long settled;

    private double pageNanos;
    private boolean trial;
    private long trialBegan;
    private long trialTook;
    private boolean tested;
    private double beforeTrial;
    private double rateBeforeChange;
    private int patience = 1;
    private int waited;

    CodecRates(NanoClock clock) {
        this.clock = clock;
    }

    boolean isCompressing() {
        return compressing;
    }

    /** While pages pass raw, one in so many is treated as if they did not. */
    int sampleEvery() {
        return tryNanos < SAMPLE_COST * SAMPLE * pageNanos ? SAMPLE : 4 * SAMPLE;
    }

    /** A page that is not zero is about to be encoded. */
    void page() {
        spanPages++;
    }

    /** A page fared as if compressing were on: it was tried or not, and became so long. */
    void sampled(boolean tried, int length) {
        spanTries += tried ? 1 : 0;
        triedShare += SAMPLE_WEIGHT * ((tried ? 1 : 0) - triedShare);
        encodedBytes += SAMPLE_WEIGHT * (length + Long.BYTES - encodedBytes);
    }

    /** A try took so long. */
    void tryTook(long nanos) {
        double usual = tryNanos == 0 ? nanos : Math.min(nanos, OUTLIER * tryNanos);
        tryNanos += tryNanos == 0 ? usual : TRY_WEIGHT * (usual - tryNanos);
    }

    /** Forgets the open span: nothing was encoded before the round. */
    void roundBegins() {
        measuring = false;
        blocked = false;
    }

    /** Notes whether the sink had a slot when it was asked for one. */
    void claimed(boolean got) {
        if (got) {
            if (blocked) {
                blocked = false;
                blockedNanos += clock.nanoTime() - blockedSince;
            }
        } else if (!blocked) {
            long now = clock.nanoTime();
            if (measuring && spanWire > 0
                    && (spanWire >= SPAN_BYTES || now - spanStart >= SPAN_NANOS)) {
                decide(now);
                begin(now);
            } else if (!measuring && isSettled()) {
                begin(now);
            }
            blocked = true;
            blockedSince = now;
        }
    }

    /** A batch went into the sink, where so many now wait to be acknowledged. */
    void committed(int wireBytes, int unacknowledged) {
        committed++;
        drained = committed - unacknowledged;
        spanWire += wireBytes;
        if (!measuring) {
            if (isSettled()) {
                begin(clock.nanoTime());
            }
        } else if (drained - spanDrained >= CALM_BATCHES && spanWire >= SPAN_BYTES
                && blockedNanos == 0) {
            long now = clock.nanoTime();
            decide(now);
            begin(now);
        }
    }

    /** Whether the sink holds nothing any more of what was encoded the other way. */
    private boolean isSettled() {
        return drained >= settled;
    }

    private void begin(long now) {
        measuring = true;
        spanStart = now;
        spanPages = 0;
        spanTries = 0;
        spanWire = 0;
        spanDrained = drained;
        blockedNanos = 0;
    }

    private void decide(long now) {
        double span = now - spanStart;
        if (spanPages == 0 || span <= 0) {
            return;
        }
        double busy = (span - blockedNanos - spanTries * tryNanos) / spanPages;
        baseNanos = blend(baseNanos, Math.max(1, busy));
        double pace = spanWire * 1e9 / span;
        pageNanos = span / spanPages;
        if (trial) {
            trialTook = now - trialBegan;
        }
        if (blockedNanos < CALM_SHARE * span) {
            calm(pace);
        } else {
            full(pace, blockedNanos < BUSY_SHARE * span, now);
        }
    }

    /** The processor is what holds us up. */
    private void calm(double pace) {
        linkRate = linkRate == 0 ? 0 : Math.max(linkRate, pace);
        if (!compressing) {
            trial = false;
            patience = 1;
            return;
        }
        boolean known = linkRate > 0;
        if (known && rawNanos() < WORTH * compressedNanos()) {
            change(false);
        } else if (triedShare > 0 && (!known || isTimeForATrial())) {
            beginTrial(compressedNanos());
        }
    }

    /** Link or target are what holds us up. */
    private void full(double pace, boolean busy, long now) {
        if (rateBeforeChange > 0) {
            double gain = compressing ? rateBeforeChange / pace : pace / rateBeforeChange;
            rawGain = Math.clamp(gain, 1, MOST_GAIN);
            rateBeforeChange = 0;
            linkRate = pace;
        } else {
            linkRate = blend(linkRate, pace);
        }
        if (compressing) {
            if (rawNanos() < WORTH * pageNanos) {
                change(false);
            } else if (pace > FAST_LINK ? isTimeForATrial() : busy && isTimeForASlowTrial(now)) {
                beginTrial(pageNanos);
            }
        } else if (trial && pageNanos > WORTH * beforeTrial) {
            patience = Math.min(MAX_PATIENCE, 2 * patience);
            change(true);
        } else if (compressedNanos() < WORTH * Math.min(pageNanos, rawNanos())) {
            patience = Math.min(MAX_PATIENCE, 2 * patience);
            change(true);
        } else {
            trial = false;
        }
    }

    private double rawNanos() {
        double rate = compressing ? linkRate * gain() : linkRate;
        return Math.max(baseNanos, RAW_BYTES * 1e9 / rate);
    }

    private double compressedNanos() {
        double processor = baseNanos + triedShare * tryNanos;
        if (linkRate == 0) {
            return processor;
        }
        double rate = compressing ? linkRate : linkRate / gain();
        return Math.max(processor, encodedBytes * 1e9 / rate);
    }

    /** A link so slow is what holds us up, whatever a target took when it was faster. */
    private double gain() {
        return linkRate < FAST_LINK ? 1 : rawGain;
    }

    private boolean isTimeForATrial() {
        return ++waited >= patience;
    }

    private boolean isTimeForASlowTrial(long now) {
        return triedShare > 0
                && (!tested || now - trialBegan - trialTook > SLOW_TRIAL_REST * trialTook);
    }

    private void beginTrial(double before) {
        change(false);
        trial = true;
        tested = true;
        trialBegan = clock.nanoTime();
        beforeTrial = before;
    }

    private void change(boolean toCompressing) {
        compressing = toCompressing;
        trial = false;
        waited = 0;
        rateBeforeChange = linkRate;
        settled = committed;
        measuring = false;
    }

    private static double blend(double known, double measured) {
        return known == 0 ? measured : known + SPAN_WEIGHT * (measured - known);
    }
}
