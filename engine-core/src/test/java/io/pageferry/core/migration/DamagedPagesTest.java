package io.pageferry.core.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.testing.Harness;
import io.pageferry.core.testing.TargetLinkFilter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Payloads that are damaged on their way: their pages are sent again, and then it is enough. */
class DamagedPagesTest {
    private static final int SEEDS = 60;

    /** Damages batches, each with a chance. */
    private static final class Damage extends TargetLinkFilter {
        private final Random random;
        private final int oneIn;
        private final int most;
        private int damaged;

        Damage(TargetLink link, long seed, int oneIn, int most) {
            super(link);
            this.random = new Random(seed);
            this.oneIn = oneIn;
            this.most = most;
        }

        @Override
        protected void deliver(PageBatch batch, LinkHandler handler) {
            if (damaged < most && batch.payloadBytes() > 0 && random.nextInt(oneIn) == 0) {
                damaged++;
                MemorySegment payload = batch.payload();
                long at = random.nextInt(batch.payloadBytes());
                payload.set(ValueLayout.JAVA_BYTE, at,
                        (byte) (payload.get(ValueLayout.JAVA_BYTE, at) ^ 1 << random.nextInt(8)));
            }
            super.deliver(batch, handler);
        }
    }

    @Test
    void aDamagedPageIsSentAgainAndArrives() {
        int damaged = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            Damage[] made = new Damage[1];
            long of = seed;
            try (Harness harness = new Harness(seed)) {
                // Three in all: no page is named oftener than it is sent again.
                Harness.Ends ends = harness.bendTarget(
                        link -> made[0] = new Damage(link, of, 1 + (int) of % 3, 3)).run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.COMPLETED, ends.source().result(), what);
                assertEquals(Result.COMPLETED, ends.target().result(), what);
                assertEquals(0, harness.incoming().wrongPages(), what);
                damaged += made[0].damaged;
            }
        }
        assertTrue(damaged > SEEDS, damaged + " batches were damaged");
    }

    @Test
    void whatIsAlwaysDamagedEndsItWithTheGuestAtHome() {
        for (long seed = 0; seed < SEEDS; seed++) {
            long of = seed;
            try (Harness harness = new Harness(seed)) {
                harness.guest().writeData(0);
                Harness.Ends ends = harness.bendTarget(
                        link -> new Damage(link, of, 1, Integer.MAX_VALUE)).run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.FAILED, ends.source().result(), what);
                assertEquals(ErrorCode.DIGEST_MISMATCH, ends.source().code(), what);
                assertTrue(ends.source().reason().endsWith("arrived damaged 4 times"), what);
                assertTrue(harness.guest().isRunning(), what);
                assertFalse(harness.incoming().isLoaded(), what);
                assertEquals(1, harness.log().count("target.discard"), what);
            }
        }
    }
}
