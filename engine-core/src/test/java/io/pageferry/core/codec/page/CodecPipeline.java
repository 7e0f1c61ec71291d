package io.pageferry.core.codec.page;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.testing.ManualClock;
import java.util.ArrayDeque;
import java.util.Random;

/**
 * An encoder's thread, a window of slots, a link and a target, all simulated: only the chooser is
 * real. The link carries byte after byte, the target decodes page after page, and a slot is free
 * again when its batch was applied. Costs of the processor vary by a third, drawn from a seed.
 */
final class CodecPipeline {
    private static final int WINDOW = 16;
    private static final int HEADER = 64;
    private static final double RAW_APPLY = 300;

    private final ManualClock clock = new ManualClock(Long.MAX_VALUE - 1_000_000);
    private final CodecChooser chooser;
    private final Random random;
    private final ArrayDeque<Long> appliedAt = new ArrayDeque<>();
    private double linkBytesPerSecond;
    private double lz4Apply = 1_500;
    private long linkFree = clock.nanoTime();
    private long targetFree = linkFree;
    private int pages;
    private int payload;
    private double applyNanos;
    private long wireBytes;
    private int compressed;

    /**
     * A kind of page.
     *
     * @param noisy    what the probe says of it
     * @param length   as LZ4, or {@link PageCodec#NO_GAIN}
     * @param tryNanos what a try of LZ4 takes
     */
    record Content(boolean noisy, int length, int tryNanos) {
        static final Content RANDOM = new Content(true, PageCodec.NO_GAIN, 700);
        static final Content HALF = new Content(false, 2_080, 1_000);
        static final Content TEXT = new Content(false, 1_900, 3_500);
        static final Content LOG = new Content(false, 1_400, 8_000);
    }

    /**
     * What a run of pages took.
     *
     * @param nanos      until the last one was applied
     * @param compressed pages that went as LZ4
     * @param wireBytes  with descriptors and headers
     */
    record Run(long nanos, int compressed, long wireBytes) { }

    CodecPipeline(CodecChoice choice, long seed, double linkBytesPerSecond) {
        this.chooser = new CodecChooser(choice, clock);
        this.random = new Random(seed);
        this.linkBytesPerSecond = linkBytesPerSecond;
    }

    /** The link is another from now on. */
    CodecPipeline link(double bytesPerSecond) {
        linkBytesPerSecond = bytesPerSecond;
        return this;
    }

    /** The target takes so long for a compressed page. */
    CodecPipeline target(double nanosPerPage) {
        lz4Apply = nanosPerPage;
        return this;
    }

    /** Sends pages, the given kinds in turn, until the last was applied. */
    Run send(int count, Content... kinds) {
        long start = clock.nanoTime();
        long wireBefore = wireBytes;
        compressed = 0;
        chooser.rates().roundBegins();
        claim();
        for (int i = 0; i < count; i++) {
            if (payload > PageBatch.PAYLOAD_CAPACITY - PageCodec.PAGE
                    || pages == PageBatch.MAX_PAGES) {
                commit();
                claim();
            }
            encode(kinds[i % kinds.length]);
        }
        commit();
        while (!appliedAt.isEmpty()) {
            waitForOne();
        }
        return new Run(clock.nanoTime() - start, compressed, wireBytes - wireBefore);
    }

    private void encode(Content page) {
        spend(450);
        int length = PageCodec.PAGE;
        if (chooser.tryCompression(page.noisy())) {
            spend(page.tryNanos());
            chooser.tried(page.length());
            if (page.length() != PageCodec.NO_GAIN) {
                length = page.length();
                compressed++;
            }
        }
        pages++;
        payload += length;
        applyNanos += length == PageCodec.PAGE ? RAW_APPLY : lz4Apply;
    }

    private void claim() {
        forget();
        while (appliedAt.size() >= WINDOW) {
            chooser.rates().claimed(false);
            waitForOne();
        }
        chooser.rates().claimed(true);
        pages = 0;
        payload = 0;
        applyNanos = 0;
    }

    private void commit() {
        int wire = payload + pages * Long.BYTES + HEADER;
        wireBytes += wire;
        linkFree = later(linkFree, clock.nanoTime())
                + (long) (wire * 1e9 / linkBytesPerSecond);
        targetFree = later(targetFree, linkFree) + (long) applyNanos;
        appliedAt.add(targetFree);
        forget();
        chooser.rates().committed(wire - HEADER, appliedAt.size());
    }

    private void waitForOne() {
        long applied = appliedAt.poll();
        if (applied - clock.nanoTime() > 0) {
            clock.advance(applied - clock.nanoTime());
        }
    }

    private void forget() {
        while (!appliedAt.isEmpty() && appliedAt.peek() - clock.nanoTime() <= 0) {
            appliedAt.poll();
        }
    }

    private void spend(int nanos) {
        clock.advance(nanos * (100L + random.nextInt(66)) / 133);
    }

    private static long later(long a, long b) {
        return a - b > 0 ? a : b;
    }
}
