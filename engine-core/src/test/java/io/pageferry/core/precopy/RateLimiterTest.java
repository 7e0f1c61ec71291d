package io.pageferry.core.precopy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.PageSink;
import io.pageferry.core.testing.ManualClock;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a bounded sink puts on the wire in every second, by a clock that the test moves. */
class RateLimiterTest {
    private static final long SEED = 20_260_418;
    private static final long SECOND = 1_000_000_000L;
    private static final int HEADER = 96;
    private static final long HANG_SECONDS = 60;

    private final Random random = new Random(SEED);
    private final ManualClock clock = new ManualClock(Long.MAX_VALUE - SECOND);
    private final Wire wire = new Wire();

    @AfterEach
    void free() {
        wire.arena.close();
    }

    @Test
    void keepsWithinThreePercentInEverySecondAndUsesNineTenths() {
        for (long rate : List.of(Bandwidth.LEAST, 1_250_000L, 12_500_000L, 125_000_000L,
                1_250_000_000L)) {
            PageSink sink = paced(new Bandwidth(rate, rate), false);
            long start = clock.nanoTime();
            fill(sink, 5 * SECOND, 0);
            assertBounded(rate, 1.03);
            double used = wire.total() * (double) SECOND / (clock.nanoTime() - start);
            assertTrue(used >= 0.9 * rate, () -> used + " of " + rate + ", seed " + SEED);
        }
    }

    @Test
    void aThreadThatWasLateDoesNotMakeUpForIt() {
        long rate = 12_500_000;
        PageSink sink = paced(new Bandwidth(rate, rate), false);
        fill(sink, 20 * SECOND, 400);
        assertTrue(wire.late > 10, "never late");
        assertBounded(rate, 1.03);
    }

    @Test
    void theLastRoundHasItsOwnBound() {
        long rate = 1_250_000;
        PageSink slower = paced(new Bandwidth(10 * rate, rate), true);
        fill(slower, 5 * SECOND, 0);
        assertBounded(rate, 1.03);

        PageSink open = paced(new Bandwidth(rate, 0), true);
        for (int i = 0; i < 1_000; i++) {
            commit(open, open.claim(), PageBatch.MAX_PAGES);
        }
        assertTrue(wire.total() > 100 * rate, "as much as is wanted in no time");
    }

    @Test
    void whatIsAllowedInTheMiddleOfARoundIsUsedFromThenOn() {
        long rate = 1_250_000;
        RateLimiter limiter = new RateLimiter(clock, new Bandwidth(rate, rate));
        limiter.roundBegins(false);
        MigrationLimits usual = MigrationLimits.defaults();
        PageSink sink = limiter.over(wire);
        fill(sink, 2 * SECOND, 0);
        for (long other : new long[] {10 * rate, rate / 4}) {
            limiter.allow(usual.with(new Bandwidth(other, 3 * other)));
            wire.at.clear();
            wire.bytes.clear();
            long start = clock.nanoTime();
            fill(sink, 5 * SECOND, 0);
            assertBounded(other, 1.03);
            double used = wire.total() * (double) SECOND / (clock.nanoTime() - start);
            assertTrue(used >= 0.9 * other, () -> used + " of " + other + ", seed " + SEED);
        }
        limiter.allow(usual);
        limiter.roundBegins(true);
        assertTrue(!limiter.isBounded());
    }

    @Test
    void aFullSinkBelowIsFullAbove() {
        PageSink sink = paced(Bandwidth.UNLIMITED, false);
        wire.full = true;
        assertEquals(null, sink.claim());
        wire.full = false;
        commit(sink, sink.claim(), 3);
        assertEquals(wire.total(), sink.wireBytes());
    }

    /** Lanes ask for each batch: where nothing is bounded none waits for another. */
    @Test
    void withoutABoundNobodyWaitsForTheLock() throws Exception {
        RateLimiter limiter = new RateLimiter(clock, Bandwidth.UNLIMITED);
        PageSink sink = limiter.over(wire);
        synchronized (limiter) {
            CompletableFuture.runAsync(() -> commit(sink, sink.claim(), 3))
                    .get(HANG_SECONDS, TimeUnit.SECONDS);
        }
        assertTrue(wire.total() > 0);
    }

    private PageSink paced(Bandwidth bandwidth, boolean stopAndCopy) {
        wire.at.clear();
        wire.bytes.clear();
        wire.late = 0;
        RateLimiter limiter = new RateLimiter(clock, bandwidth);
        limiter.roundBegins(stopAndCopy);
        return limiter.over(wire);
    }

    /** Sends whenever it may; looks every 0 to 0.4 ms, and is late once in so many looks. */
    private void fill(PageSink sink, long nanos, int lateOnceIn) {
        long end = clock.nanoTime() + nanos;
        while (clock.nanoTime() - end < 0) {
            PageBatch slot = sink.claim();
            if (slot != null) {
                commit(sink, slot, 1 + random.nextInt(2 * PageBatch.MAX_PAGES));
            } else if (lateOnceIn > 0 && random.nextInt(lateOnceIn) == 0) {
                wire.late++;
                clock.advance(random.nextInt(500_000_000));
            } else {
                clock.advance(random.nextInt(400_000));
            }
        }
    }

    private void commit(PageSink sink, PageBatch slot, int most) {
        slot.begin(0, 0);
        boolean zeros = random.nextInt(8) == 0;
        for (int i = 0; i < most && slot.hasRoom(); i++) {
            slot.append(i, zeros ? PageCodec.ZERO : PageCodec.RAW, zeros ? 0 : PageCodec.PAGE,
                    0);
        }
        sink.commit(slot);
    }

    /** Every second that begins with a batch; no other carries more. */
    private void assertBounded(long rate, double share) {
        int first = 0;
        long sum = 0;
        for (int last = 0; last < wire.at.size(); last++) {
            sum += wire.bytes.get(last);
            while (wire.at.get(last) - wire.at.get(first) >= SECOND) {
                sum -= wire.bytes.get(first++);
            }
            long carried = sum;
            assertTrue(carried <= share * rate,
                    () -> carried + " bytes in a second of " + rate + ", seed " + SEED);
        }
        assertTrue(first > 0, "not even a second long");
    }

    /** A sink with one slot that takes everything at once. */
    private final class Wire implements PageSink {
        private final Arena arena = Arena.ofShared();
        private final PageBatch slot = new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY));
        private final List<Long> at = new ArrayList<>();
        private final List<Integer> bytes = new ArrayList<>();
        private long sent;
        private int late;
        private boolean full;

        long total() {
            return bytes.stream().mapToLong(Integer::longValue).sum();
        }

        @Override
        public PageBatch claim() {
            return full ? null : slot;
        }

        @Override
        public void commit(PageBatch batch) {
            int taken = HEADER + batch.payloadBytes() + batch.count() * Long.BYTES;
            sent += taken;
            at.add(clock.nanoTime());
            bytes.add(taken);
        }

        @Override
        public void abandon(PageBatch batch) { }

        @Override
        public int unacknowledged() {
            return 0;
        }

        @Override
        public long[] lastSequences() {
            return new long[] {at.size()};
        }

        @Override
        public long wireBytes() {
            return sent;
        }

        @Override
        public long reclaim(LongConsumer pages) {
            return 0;
        }
    }
}
