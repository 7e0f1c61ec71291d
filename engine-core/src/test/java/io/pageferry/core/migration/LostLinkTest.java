package io.pageferry.core.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.incoming.TargetOptions;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.SourceState;
import io.pageferry.core.testing.Harness;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Whole migrations whose link is lost at random points, both sides, from a seed. */
class LostLinkTest {
    private static final long WINDOW = 30_000_000_000L;
    private static final int SEEDS = 400;

    /** Payload, descriptors and headers of the longest batch. */
    private static final long LONGEST_BATCH = PageBatch.PAYLOAD_CAPACITY + 1024 * 8L + 72;

    private final Map<SourceState, Integer> cutIn = new EnumMap<>(SourceState.class);
    private int completedAfterCuts;
    private int refusedWhenReady;
    private int resent;

    @Test
    void everySeedArrivesOrStaysAndSendsAgainAtMostTheWindow() {
        LongStream.range(0, SEEDS).forEach(this::migrate);
        String seen = cutIn + ", completed " + completedAfterCuts + ", refused "
                + refusedWhenReady + ", sent again " + resent;
        assertTrue(cutIn.getOrDefault(SourceState.PRECOPY, 0) > 50, seen);
        assertTrue(cutIn.getOrDefault(SourceState.SWITCHOVER, 0) > 80, seen);
        assertTrue(cutIn.getOrDefault(SourceState.GRANTED, 0) > 10, seen);
        assertTrue(completedAfterCuts > SEEDS / 5, seen);
        assertTrue(refusedWhenReady > 10, seen);
        assertTrue(resent > 25, seen);
    }

    private void migrate(long seed) {
        Cutter cutter = new Cutter(seed);
        try (Harness harness = cutter.harness) {
            Harness.Ends ends = harness.run();
            String what = "seed " + seed + ": " + cutter.cuts + " cuts, " + ends + "; "
                    + harness.log();
            MigrationFigures figures = harness.source().figures();
            assertTrue(figures.reconnects() <= cutter.cuts, what);
            assertTrue(figures.resentBytes() <= cutter.mostInFlight() * cutter.cuts, what);
            resent += figures.resentBytes() > 0 ? 1 : 0;
            if (ends.source().result() == Result.COMPLETED) {
                completedAfterCuts += figures.reconnects() > 0 ? 1 : 0;
                assertEquals(Result.COMPLETED, ends.target().result(), what);
                assertEquals(0, harness.incoming().wrongPages(), what);
                assertEquals(figures.sourceDigest(),
                        harness.target().figures().targetDigest(), what);
                assertFalse(harness.guest().isRunning(), what);
            } else {
                assertEquals(Result.FAILED, ends.source().result(), what);
                assertEquals(Result.FAILED, ends.target().result(), what);
                assertTrue(harness.guest().isRunning(), what);
                assertFalse(harness.incoming().isRunning(), what);
                // Nothing but a target that was ready already stands in the way.
                assertTrue(harness.log().inOrder("target.load", "target.discard"), what);
                assertEquals(1, harness.log().events().stream()
                        .filter(event -> event.startsWith("target.J(REFUSED")).count(), what);
                refusedWhenReady++;
            }
        }
    }

    /** Cuts the link at steps drawn from the seed. */
    private final class Cutter {
        private final Harness harness;
        private final Random random;
        private final SourceState victim;
        private long window;
        private int cuts;
        private int toCome;
        private int countdown;

        Cutter(long seed) {
            random = new Random(~seed);
            victim = List.of(SourceState.PRECOPY, SourceState.SWITCHOVER, SourceState.GRANTED)
                    .get(Math.min(2, random.nextInt(9) / 4));
            toCome = 1 + random.nextInt(4);
            countdown = random.nextInt(victim == SourceState.GRANTED ? 3 : 20);
            harness = new Harness(seed).source(LostLinkTest::surviving)
                    .target(drawn -> {
                        window = drawn.window();
                        return new TargetOptions(drawn.window(), drawn.grantNanos(),
                                drawn.lastWordNanos(), drawn.channels(), WINDOW);
                    }).eachStep(this::step);
        }

        long mostInFlight() {
            return 3 * window * LONGEST_BATCH;
        }

        private void step() {
            if (toCome == 0 || harness.source().state() != victim
                    || !harness.links().source().isUp() || countdown-- > 0) {
                return;
            }
            cuts++;
            toCome--;
            countdown = random.nextInt(20);
            cutIn.merge(victim, 1, Integer::sum);
            harness.links().cut(random.nextBoolean() ? ErrorCode.LINK_LOST
                    : ErrorCode.CORRUPT_FRAME, "cut by the test");
        }
    }

    private static SourceOptions surviving(SourceOptions drawn) {
        return new SourceOptions(drawn.limits(), drawn.codec(), drawn.channels(), drawn.verify(),
                drawn.negotiationNanos(), drawn.settleNanos(), drawn.endGuest(),
                drawn.handoverCost(), WINDOW, drawn.extras());
    }
}
