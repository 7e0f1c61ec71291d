package io.pageferry.core.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.handover.MigrationFigures;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.outgoing.session.Wording.Limit;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.round.StopReason;
import io.pageferry.core.testing.Harness;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** {@code --cold}: the guest is paused before the first page is sent. */
class ColdTest {
    private static final int SEEDS = 60;
    private static final long LONG = 3_600_000_000_000L;

    @Test
    void everySeedArrivesAsItWasPaused() {
        LongStream.range(0, SEEDS).forEach(seed -> {
            // A pause of a nanosecond is over at once: that limit is not for this.
            try (Harness harness = cold(seed, LONG, 1)) {
                Harness.Ends ends = harness.run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.COMPLETED, ends.source().result(), what);
                assertEquals(Result.COMPLETED, ends.target().result(), what);
                assertEquals(0, harness.incoming().wrongPages(), what);
                MigrationFigures figures = harness.source().figures();
                assertEquals(Optional.of(StopReason.COLD), figures.stopReason(), what);
                assertEquals(0, figures.rounds().getFirst().round(), what);
                assertTrue(figures.rounds().stream().allMatch(RoundStats::stopAndCopy), what);
                assertTrue(figures.downtimeNanos() > 0, what);
            }
        });
    }

    @Test
    void theTimeoutBoundsIt() {
        LongStream.range(0, SEEDS).forEach(seed -> {
            try (Harness harness = cold(seed, 200_000, LONG)) {
                harness.eachStep(() -> harness.clock().advance(100_000));
                Harness.Ends ends = harness.run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.FAILED, ends.source().result(), what);
                assertEquals(ErrorCode.DEADLINE, ends.source().code(), what);
                assertTrue(ends.source().reason().contains(Limit.TIMEOUT.label()), what);
                assertTrue(harness.guest().isRunning(), what);
                assertFalse(harness.incoming().isRunning(), what);
            }
        });
    }

    private static Harness cold(long seed, long timeout, long pause) {
        return new Harness(seed).source(drawn -> drawn
                .withLimits(limits(drawn.limits(), timeout, pause)).paused());
    }

    private static MigrationLimits limits(MigrationLimits drawn, long timeout, long pause) {
        return new MigrationLimits(drawn.policy(), drawn.maxDowntimeNanos(), drawn.maxRounds(),
                timeout, drawn.onNoConvergence(), pause, drawn.bandwidth(), drawn.throttling());
    }
}
