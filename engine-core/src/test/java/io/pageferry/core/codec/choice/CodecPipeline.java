package io.pageferry.core.codec.choice;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.testing.ManualClock;
import java.util.ArrayDeque;
import java.util.Random;

/**
 * An encoder's thread, a window of slots, a link and a target, all simulated: only the chooser is
 * real. The link carries byte after byte, the target decodes page after page, and a slot is free
 * again when its batch was applied. Costs of the processor vary by a third, drawn from a seed.
 */
final class CodecPipeline {
    /** Bytes of a page, and what it becomes by LZ4 where it does not shrink. */
    static final int PAGE = PageGeometry.PAGE_SIZE;

    private static final int BLOCK_PAGES = 15;
    private static final int WINDOW = 16;
    private static final int HEADER = 64;
    private static final double RAW_APPLY = 300;

    private final ManualClock clock = new ManualClock(Long.MAX_VALUE - 1_000_000);
    private final CodecChooser chooser;
    private final Random random;
    private final ArrayDeque<Long> appliedAt = new ArrayDeque<>();
    private final ArrayDeque<Long> arrivedAt = new ArrayDeque<>();
    private boolean told = true;
    private long waiting;
    private double store;
    private double linkBytesPerSecond;
    private double lz4Apply = 1_500;
    private double zstdApply = 4_000;
    private long linkFree = clock.nanoTime();
    private long targetFree = linkFree;
    private int pages;
    private int payload;
    private double applyNanos;
    private long wireBytes;
    private int compressed;
    private int zstd;
    private int inBlock;
    private Content blockOf;

    /**
     * A kind of page.
     *
     * @param noisy     what the probe says of it
     * @param length    as LZ4, or {@link #PAGE}
     * @param tryNanos  what a try of LZ4 takes
     * @param zstd      its share of a block of zstd, in bytes
     * @param zstdNanos its share of what compressing the block takes
     */
    record Content(boolean noisy, int length, int tryNanos, int zstd, int zstdNanos) {
        static final Content RANDOM = new Content(true, PAGE, 700, PAGE, 1_200);
        static final Content HALF = new Content(false, 2_080, 1_000, 2_060, 5_000);
        static final Content TEXT = new Content(false, 1_900, 3_500, 1_300, 9_000);
        static final Content LOG = new Content(false, 1_400, 8_000, 700, 12_000);
    }

    /**
     * What a run of pages took.
     *
     * @param nanos      until the last one was applied
     * @param compressed pages that went as LZ4 or zstd
     * @param zstd       of these, those by zstd
     * @param wireBytes  with descriptors and headers
     */
    record Run(long nanos, int compressed, int zstd, long wireBytes) { }

    CodecPipeline(CodecChoice choice, long seed, double linkBytesPerSecond) {
        this.chooser = new CodecChooser(choice, clock);
        this.random = new Random(seed);
        this.linkBytesPerSecond = linkBytesPerSecond;
    }

    /** Both sides have zstd. */
    CodecPipeline withZstd() {
        chooser.allowBlocks();
        return this;
    }

    /** The link is another from now on. */
    CodecPipeline link(double bytesPerSecond) {
        linkBytesPerSecond = bytesPerSecond;
        return this;
    }

    /** The target takes so long for a page of LZ4, and so long for one of zstd. */
    CodecPipeline target(double lz4Nanos, double zstdNanos) {
        lz4Apply = lz4Nanos;
        zstdApply = zstdNanos;
        return this;
    }

    /** The target takes so long more for each page, however it comes. */
    CodecPipeline stores(double nanos) {
        store = nanos;
        return this;
    }

    /** The target does not say what waits there. */
    CodecPipeline silent() {
        told = false;
        return this;
    }

    /** Sends pages, the given kinds in turn, until the last was applied. */
    Run send(int count, Content... kinds) {
        long start = clock.nanoTime();
        long wireBefore = wireBytes;
        compressed = 0;
        zstd = 0;
        chooser.rates().roundBegins();
        claim();
        for (int i = 0; i < count; i++) {
            if (payload > PageBatch.PAYLOAD_CAPACITY - (inBlock + 1) * PAGE
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
        return new Run(clock.nanoTime() - start, compressed, zstd, wireBytes - wireBefore);
    }

    private void encode(Content page) {
        spend(450);
        int length = PAGE;
        pages++;
        Attempt attempt = chooser.attempt(page.noisy(), chooser.wantsBlocks());
        if (attempt == Attempt.ZSTD) {
            compressed++;
            zstd++;
            blockOf = page;
            if (++inBlock == BLOCK_PAGES) {
                closeBlock();
            }
            return;
        }
        if (attempt == Attempt.LZ4) {
            spend(page.tryNanos());
            chooser.tried(page.length());
            if (page.length() != PAGE) {
                length = page.length();
                compressed++;
            }
        }
        payload += length;
        applyNanos += store + (length == PAGE ? RAW_APPLY : lz4Apply);
    }

    private void closeBlock() {
        chooser.blockBegins();
        spend(blockOf.zstdNanos() * inBlock);
        chooser.blockEnds(inBlock, blockOf.zstd() * inBlock);
        payload += blockOf.zstd() * inBlock;
        applyNanos += (store + zstdApply) * inBlock;
        inBlock = 0;
    }

    private void claim() {
        forget();
        while (appliedAt.size() >= WINDOW) {
            chooser.rates().claimed(false, told && waiting > 0);
            waitForOne();
        }
        chooser.rates().claimed(true, false);
        pages = 0;
        payload = 0;
        applyNanos = 0;
    }

    private void commit() {
        if (inBlock > 0) {
            closeBlock();
        }
        int wire = payload + pages * PageBatch.DIRECTORY_ENTRY_BYTES + HEADER;
        wireBytes += wire;
        linkFree = later(linkFree, clock.nanoTime())
                + (long) (wire * 1e9 / linkBytesPerSecond);
        targetFree = later(targetFree, linkFree) + (long) applyNanos;
        arrivedAt.add(linkFree);
        appliedAt.add(targetFree);
        forget();
        chooser.rates().committed(wire - HEADER, appliedAt.size());
    }

    private void waitForOne() {
        long applied = applied();
        if (applied - clock.nanoTime() > 0) {
            clock.advance(applied - clock.nanoTime());
        }
    }

    private void forget() {
        while (!appliedAt.isEmpty() && appliedAt.peek() - clock.nanoTime() <= 0) {
            applied();
        }
    }

    /** Takes the acknowledgement of the oldest batch, which says how many had arrived by then. */
    private long applied() {
        long at = appliedAt.poll();
        arrivedAt.poll();
        waiting = arrivedAt.stream().filter(arrived -> arrived - at <= 0).count();
        return at;
    }

    private void spend(int nanos) {
        clock.advance(nanos * (100L + random.nextInt(66)) / 133);
    }

    private static long later(long a, long b) {
        return a - b > 0 ? a : b;
    }
}
