package io.pageferry.core.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.testing.Harness;
import io.pageferry.core.testing.TargetLinkFilter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Where nothing is damaged, the base of each difference is what the image holds. */
@Timeout(120)
class DeltasArriveTest {
    private static final int SEEDS = 200;

    /** Many rounds: a difference is sent the fourth time that a page is. */
    private static final MigrationLimits LIMITS = new MigrationLimits(
            MigrationLimits.Policy.DOWNTIME_BUDGET, 1, 15, 3_600_000_000_000L,
            MigrationLimits.OnNoConvergence.STOP_AND_COPY, 60_000_000_000L,
            Bandwidth.UNLIMITED, MigrationLimits.Throttling.NONE);

    private int owed;

    @Test
    void noneIsOwed() {
        long deltas = 0;
        long blocks = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            CodecChoice codec = seed % 2 == 0 ? CodecChoice.LZ4 : CodecChoice.ZSTD;
            try (Harness harness = new Harness(seed)
                    .source(drawn -> drawn.withPages(codec, drawn.channels())
                            .withDeltaCache(1 << 20).withLimits(LIMITS))
                    .writes(4)
                    .bendTarget(link -> new TargetLinkFilter(link) {
                        @Override
                        public boolean send(Message message) {
                            owed += message instanceof Message.PagesOwed ? 1 : 0;
                            return super.send(message);
                        }
                    })) {
                assertEquals(Result.COMPLETED, harness.run().source().result(), "seed " + seed);
                assertEquals(0, harness.incoming().wrongPages(), "seed " + seed);
                assertEquals(0, owed, "pages are owed, seed " + seed);
                for (RoundStats round : harness.source().figures().allRounds()) {
                    deltas += round.sent().delta();
                    blocks += round.sent().zstd();
                }
            }
        }
        assertTrue(deltas > SEEDS && blocks > SEEDS, deltas + " deltas, " + blocks + " of zstd");
    }
}
