package io.pageferry.core.codec.choice;

import org.agrona.concurrent.NanoClock;

/**
 * Knows whether compressing helps, and by which compressor: whichever way makes {@code
 * max(processor time, wire time)} of a page smallest, from what was measured of late.
 *
 * <p>The measure is a span between two moments at which the sink was full: bytes drained in it give
 * the pace of link and target, and pages drained what a page takes. A sink that drained {@link
 * #SPAN_BATCHES} batches and was never full is faster than the processor here; how much faster only
 * a trial of raw pages can show, so one is made, and after one that did not help the next waits
 * twice as long.
 *
 * <p>A target may be the one that is slow, and by the page and not by the byte: then raw bytes go
 * faster than compressed ones. {@link #rawGain} is by how much, learned from a trial. On a link so
 * slow that no target could be slower there is no such trial.
 *
 * <p>zstd makes less of a page than LZ4 and takes longer. It is on while link or target hold us up
 * and its figures promise less, and off again where the next span shows that the promise did not
 * hold: then the target is what is slow. Where the target says so itself, none is tried.
 *
 * <p>Nothing is learned across the begin of a round: between two rounds no page is encoded.
 * Confined to one thread.
 */
public final class CodecRates {
    /** A span of fewer batches is mostly chance. */
    static final int SPAN_BATCHES = 4;

    /** So is one of fewer bytes, and shorter than that: a slow link carries less in it. */
    static final long SPAN_BYTES = 1 << 20;
    static final long SPAN_NANOS = 250_000_000L;

    /** Most spans between two trials. */
    static final int MAX_PATIENCE = 64;

    /** A way that is better by less than that is not worth the change. */
    static final double WORTH = 0.95;

    /** Bytes a second above which the target may be what is slow: every target decodes faster. */
    static final double FAST_LINK = 256 << 20;

    /** Below that rate a trial is made only where the processor is busy for most of a span. */
    private static final double BUSY_SHARE = 0.5;

    /** Such a trial fills a window of a link that may be slow: it waits so many times its time. */
    private static final long SLOW_TRIAL_REST = 64;

    /** One page in so many is a sample, or four times fewer where that costs more than this. */
    private static final double SAMPLE_COST = 0.02;

    /** A trial of zstd that failed bars the next for so long at most: there may be other pages. */
    private static final long MOST_REST_NANOS = 20_000_000_000L;

    /** A sink that was full for less of a span than this is not what holds us up. */
    private static final double CALM_SHARE = 0.1;

    /** Raw pages give way to compressed ones after so many spans in a row that ask for it. */
    private static final int SLOW_SPANS = 3;

    private static final double MOST_GAIN = 8;
    private static final double TRY_WEIGHT = 1.0 / 16;
    private static final double BLOCK_WEIGHT = 0.2;

    private final NanoClock clock;
    private boolean compressing = true;
    private boolean zstd;

    // Believed, in nanoseconds or bytes of one page; the link's in bytes a second, 0 unknown.
    private double baseNanos;
    private final PageCosts costs = new PageCosts();
    private double linkRate;
    private double rawGain = 1;

    private final Span span = new Span();
    private boolean measuring;
    private long blockedSince;
    private boolean blocked;

    private final Drain drain = new Drain();
    private long batchPages;
    /** From so many drained batches on the sink holds nothing that was encoded the other way. */
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
    private int slowSpans;
    private boolean zstdBeforeTrial;
    private boolean zstdOnTrial;
    private int calmSpans;
    private double beforeZstd;
    private long zstdBegan;
    private long zstdRest;

    CodecRates(NanoClock clock) {
        this.clock = clock;
    }

    boolean isCompressing() {
        return compressing;
    }

    /** Whether pages go by zstd. */
    boolean isZstd() {
        return compressing && zstd;
    }

    /** While pages pass raw, one in so many is treated as if they did not. */
    int sampleEvery() {
        return costs.lz4.nanos() < SAMPLE_COST * CodecChooser.SAMPLE * pageNanos
                ? CodecChooser.SAMPLE : 4 * CodecChooser.SAMPLE;
    }

    /** A page that is not zero is about to be encoded. */
    void page() {
        span.pages++;
        batchPages++;
    }

    /** A page fared as if compressing were on: it is tried or not. */
    void sorted(boolean worthATry) {
        costs.sorted(worthATry);
    }

    /** LZ4 was tried on a page, which became so long. */
    void tried(int length) {
        span.tries++;
        costs.lz4.made(length, PageCosts.SAMPLE_WEIGHT);
    }

    /** Such a try took so long. */
    void tryTook(long nanos) {
        costs.lz4.took(nanos, TRY_WEIGHT);
    }

    /** A block of so many pages took so long, which counts where it was not the first. */
    void blockTook(int pages, long nanos, boolean counts) {
        span.blockNanos += nanos;
        if (counts) {
            costs.zstd.took((double) nanos / pages, BLOCK_WEIGHT);
        }
    }

    /** Such a block became so long. */
    void blockMade(int pages, int length) {
        costs.zstd.made((double) length / pages, BLOCK_WEIGHT);
    }

    /** What changed of a page took so long to find and compress. */
    void deltaTook(long nanos) {
        costs.delta.took(nanos, TRY_WEIGHT);
    }

    /** A page became a difference of so many bytes. */
    void deltaMade(int length) {
        span.deltas++;
        costs.madeDelta(length);
    }

    /** Forgets the open span: nothing was encoded before the round. */
    public void roundBegins() {
        measuring = false;
        blocked = false;
    }

    /**
     * Notes how the sink answered when it was asked for a slot.
     *
     * @param got    whether there was one
     * @param behind where not, whether it waits for the target and not for the link
     */
    public void claimed(boolean got, boolean behind) {
        span.looked(!got, behind);
        if (got) {
            if (blocked) {
                blocked = false;
                span.blockedNanos += clock.nanoTime() - blockedSince;
            }
        } else if (!blocked) {
            long now = clock.nanoTime();
            blocked = true;
            blockedSince = now;
            if (measuring && !span.beganFull || !measuring && drain.batches() >= settled) {
                // Until now the sink was only being filled.
                begin(now);
            } else if (measuring && isLongEnough(now - span.start)) {
                decide(now);
            }
        }
    }

    /**
     * Notes that a batch was committed.
     *
     * @param wireBytes      of it
     * @param unacknowledged batches that the target has not applied yet, this one among them
     */
    public void committed(int wireBytes, int unacknowledged) {
        drain.committed(wireBytes, batchPages, unacknowledged);
        batchPages = 0;
        if (!measuring) {
            if (drain.batches() >= settled) {
                begin(clock.nanoTime());
            }
        } else if (isLongEnough(0) && span.blockedNanos == 0) {
            decide(clock.nanoTime());
        }
    }

    /** One or two batches more or less are chance. */
    private boolean isLongEnough(long nanos) {
        return drain.batches() - span.drained >= SPAN_BATCHES
                && (drain.bytes() - span.drainedBytes >= SPAN_BYTES || nanos >= SPAN_NANOS);
    }

    private void begin(long now) {
        measuring = true;
        span.begin(now, drain, blocked);
    }

    private void decide(long now) {
        double nanos = now - span.start;
        long drainedPages = drain.pages() - span.drainedPages;
        if (span.pages == 0 || drainedPages == 0 || nanos <= 0) {
            begin(now);
            return;
        }
        double busy = (nanos - span.blockedNanos - span.blockNanos - span.tries * costs.lz4.nanos()
                - span.deltas * costs.delta.nanos()) / span.pages;
        baseNanos = Span.blend(baseNanos, Math.max(1, busy));
        double pace = (drain.bytes() - span.drainedBytes) * 1e9 / nanos;
        pageNanos = nanos / drainedPages;
        if (trial) {
            trialTook = now - trialBegan;
        }
        boolean calm = span.blockedNanos < CALM_SHARE * nanos;
        if (zstdOnTrial) {
            judgeZstd(calm, pace, now);
        } else {
            if (calm) {
                calm(pace, now);
            } else {
                full(pace, span.blockedNanos < BUSY_SHARE * nanos, now);
            }
            chooseCompressor(calm, now);
        }
        if (measuring) {
            begin(now);
        }
    }

    /** The promise was a page in less time; while a sink is only being filled none is seen. */
    private void judgeZstd(boolean calm, double pace, long now) {
        if (calm && ++calmSpans == 1) {
            return;
        }
        zstdOnTrial = false;
        if (pageNanos > WORTH * beforeZstd) {
            zstdRest = Math.min(MOST_REST_NANOS, SLOW_TRIAL_REST * (now - zstdBegan));
            switchTo(false);
        } else {
            zstdRest = 0;
            linkRate = calm ? Math.max(linkRate, pace) : Span.blend(linkRate, pace);
        }
    }

    /** LZ4 or zstd, where neither is the question whether to compress at all. */
    private void chooseCompressor(boolean calm, long now) {
        if (!compressing || !measuring || linkRate == 0) {
            return;
        }
        // Against what a page takes now, as measured: where processors are few it is more than the
        // slower of processor and wire, for they wait for each other.
        if (zstd && nanosBy(costs.lz4) < WORTH * pageNanos) {
            switchTo(false);
        } else if (!zstd && !calm && !span.isTargetBehind() && costs.zstd.isKnown()
                && nanosBy(costs.zstd) < WORTH * pageNanos
                && (zstdRest == 0 || now - zstdBegan > zstdRest)) {
            zstdOnTrial = true;
            calmSpans = 0;
            beforeZstd = pageNanos;
            zstdBegan = now;
            switchTo(true);
        }
    }

    private void switchTo(boolean toZstd) {
        zstd = toZstd;
        settled = drain.committed();
        measuring = false;
    }

    /** The processor is what holds us up. */
    private void calm(double pace, long now) {
        linkRate = linkRate == 0 ? 0 : Math.max(linkRate, pace);
        if (!compressing) {
            trial = false;
            patience = 1;
            return;
        }
        boolean known = linkRate > 0;
        if (known && rawNanos() < WORTH * compressedNanos()) {
            change(false);
        } else if (costs.triesAny() && (!known || (linkRate > FAST_LINK ? ++waited >= patience
                : isTimeForASlowTrial(now)))) {
            beginTrial(compressedNanos());
        }
    }

    /** Link or target are what holds us up. */
    private void full(double pace, boolean busy, long now) {
        span.took(compressing, pageNanos);
        if (rateBeforeChange > 0) {
            double gain = compressing ? rateBeforeChange / pace : pace / rateBeforeChange;
            rawGain = Math.clamp(gain, 1, MOST_GAIN);
            rateBeforeChange = 0;
            linkRate = pace;
        } else {
            linkRate = span.held(linkRate, pace);
        }
        if (compressing) {
            if (rawNanos() < WORTH * pageNanos || span.wasRawFaster(WORTH * pageNanos)) {
                change(false);
            } else if (pace > FAST_LINK ? ++waited >= patience
                    : (busy || span.isTargetBehind()) && isTimeForASlowTrial(now)) {
                beginTrial(pageNanos);
            }
        } else if (trial && pageNanos > WORTH * beforeTrial) {
            patience = Math.min(MAX_PATIENCE, 2 * patience);
            change(true);
        } else if (!span.isTargetBehind()
                && compressedNanos() < WORTH * Math.min(pageNanos, rawNanos())) {
            // One slow span after another, or somebody else had the processor for a while.
            if (++slowSpans >= SLOW_SPANS) {
                patience = Math.min(MAX_PATIENCE, 2 * patience);
                change(true);
            }
        } else {
            slowSpans = 0;
            trial = false;
        }
    }

    private double rawNanos() {
        double rate = compressing ? linkRate * gain() : linkRate;
        return Math.max(baseNanos, PageCosts.RAW_BYTES * 1e9 / rate);
    }

    private double compressedNanos() {
        return nanosBy(compressing && zstd ? costs.zstd : costs.lz4);
    }

    private double nanosBy(CompressorRates one) {
        double processor = baseNanos + costs.nanos(one);
        if (linkRate == 0) {
            return processor;
        }
        double rate = compressing ? linkRate : linkRate / gain();
        return Math.max(processor, costs.bytes(one) * 1e9 / rate);
    }

    /** A link so slow is what holds us up, whatever a target took when it was faster. */
    private double gain() {
        return linkRate < FAST_LINK ? 1 : rawGain;
    }

    private boolean isTimeForASlowTrial(long now) {
        return costs.triesAny()
                && (!tested || now - trialBegan - trialTook > SLOW_TRIAL_REST * trialTook);
    }

    private void beginTrial(double before) {
        zstdBeforeTrial = zstd;
        change(false);
        trial = true;
        tested = true;
        trialBegan = clock.nanoTime();
        beforeTrial = before;
    }

    private void change(boolean toCompressing) {
        compressing = toCompressing;
        zstd = toCompressing && trial && zstdBeforeTrial;
        trial = false;
        waited = 0;
        slowSpans = 0;
        rateBeforeChange = linkRate;
        settled = drain.committed();
        measuring = false;
    }
}
