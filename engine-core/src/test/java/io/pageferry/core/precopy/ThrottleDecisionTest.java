package io.pageferry.core.precopy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.precopy.ConvergenceController.Situation;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.MigrationLimits.OnNoConvergence;
import io.pageferry.core.round.MigrationLimits.Policy;
import io.pageferry.core.round.MigrationLimits.Throttle;
import io.pageferry.core.round.MigrationLimits.Throttling;
import io.pageferry.core.round.PagesByCodec;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.round.StopReason;
import io.pageferry.core.round.WriteThrottle;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Decisions by the number: each row a history, each column what follows. */
class ThrottleDecisionTest {
    private static final long MS = 1_000_000L;
    private static final long SECOND = 1_000 * MS;
    private static final DowntimePrediction TOO_LONG = new DowntimePrediction(SECOND, 2 * SECOND);
    private static final DowntimePrediction SHORT = new DowntimePrediction(50 * MS, 200 * MS);

    @Test
    void theThrottleStepsUpAndDown() {
        int[][] rows = {
            // dirtied before, dirtied last, level, stolen ms -> next level, −1 for no change
            {1000, 1000, 0, 0, 10},
            {1000, 900, 0, 0, 10},
            {1000, 899, 0, 0, -1},
            {1000, 1200, 40, 800, 50},
            {1000, 950, 95, 0, 99},
            {1000, 700, 40, 800, -1},
            {1000, 600, 40, 800, -1},
            {1000, 599, 40, 800, 30},
            {1000, 100, 5, 800, 0},
            {1000, 100, 0, 800, -1},
        };
        for (int[] row : rows) {
            RoundDecision decision = decide(auto(100), row[2], row[3] * MS, row[0], row[1]);
            String what = List.of(row[0], row[1], row[2]).toString();
            if (row[4] < 0) {
                assertInstanceOf(RoundDecision.Continue.class, decision, what);
            } else {
                assertEquals(row[4], assertInstanceOf(RoundDecision.Throttle.class, decision,
                        what).percent(), what);
            }
        }
    }

    /** After 9 s, the last of them one round: at 20 %, 2 s may be gone at the end of the next. */
    @Test
    void theThrottleKeepsWithinTheBudgetOfStolenTime() {
        int[][] rows = {
            // level, stolen ms -> next level
            {0, 0, 10},
            {30, 1_600, 40},
            {30, 1_650, 35},
        };
        for (int[] row : rows) {
            RoundDecision decision = decide(auto(20), row[0], row[1] * MS, 1000, 1000);
            assertEquals(row[2], assertInstanceOf(RoundDecision.Throttle.class, decision)
                    .percent(), "stolen " + row[1]);
        }
        RoundDecision lower = decide(auto(20), 40, 1_750 * MS, 1000, 800);
        assertEquals(25, assertInstanceOf(RoundDecision.Throttle.class, lower).percent());
    }

    @Test
    void aSpentBudgetLeavesTheChoiceToTheOperator() {
        for (int stolen : new int[] {1_700, 2_000, 5_000}) {
            RoundDecision stop = decide(auto(20), 30, stolen * MS, 1000, 1000);
            assertEquals(StopReason.NON_DIFFUSION, assertInstanceOf(
                    RoundDecision.StopAndCopy.class, stop).reason(), "stolen " + stolen);
            assertInstanceOf(RoundDecision.Abort.class, decide(limits(Policy.DOWNTIME_BUDGET,
                    OnNoConvergence.ABORT, auto(20).throttling()), 30, stolen * MS, 1000, 1000));
        }
        RoundDecision strongest = decide(auto(100), WriteThrottle.MAX_PERCENT, 0, 1000, 1000);
        assertInstanceOf(RoundDecision.StopAndCopy.class, strongest);
    }

    @Test
    void oneRoundIsNoTrend() {
        assertInstanceOf(RoundDecision.Continue.class, decide(auto(100), 0, 0, 1000));
    }

    @Test
    void withoutAThrottleFiveRoundsWithoutProgressEndIt() {
        MigrationLimits alone = limits(Policy.DOWNTIME_BUDGET, OnNoConvergence.ABORT,
                Throttling.NONE);
        int[] rounds = {1000, 1000, 1000, 1000, 1000};
        assertInstanceOf(RoundDecision.Continue.class, decide(alone, 0, 0, rounds));
        assertInstanceOf(RoundDecision.Abort.class,
                decide(alone, 0, 0, 1000, 1000, 1000, 1000, 1000, 1000));
        MigrationLimits fixed = limits(Policy.DOWNTIME_BUDGET, OnNoConvergence.ABORT,
                new Throttling(Throttle.FIXED, 50, null, 100));
        assertInstanceOf(RoundDecision.Abort.class,
                decide(fixed, 50, 0, 1000, 1000, 1000, 1000, 1000, 1000));
    }

    @Test
    void roundsAndTimeEndAThrottledMoveToo() {
        MigrationLimits limits = auto(100);
        int[] many = new int[MigrationLimits.DEFAULT_ROUNDS];
        java.util.Arrays.fill(many, 1000);
        assertEquals(StopReason.MAX_ROUNDS, assertInstanceOf(RoundDecision.StopAndCopy.class,
                decide(limits, 10, 0, many)).reason());
        Situation late = new Situation(history(1000, 1000), 1000, limits.timeoutNanos(), TOO_LONG,
                10, 0);
        assertEquals(StopReason.TIMEOUT, assertInstanceOf(RoundDecision.StopAndCopy.class,
                ConvergenceController.decide(late, limits)).reason());
    }

    @Test
    void thePredictedDowntimeDecidesBeforeAll() {
        Situation fits = new Situation(history(1000, 5000), 5000, 9 * SECOND, SHORT, 99, 0);
        assertEquals(StopReason.BUDGET, assertInstanceOf(RoundDecision.StopAndCopy.class,
                ConvergenceController.decide(fits, auto(100))).reason());
    }

    @Test
    void theClassicRulesInTheirOrder() {
        MigrationLimits classic = limits(Policy.KVM_CLASSIC, OnNoConvergence.STOP_AND_COPY,
                new Throttling(Throttle.AUTO, 0, WriteThrottle.Quota.CLASSIC, 100));
        Object[][] rows = {
            // remaining, sent in the last round, dirtied meanwhile, rounds done -> reason
            {50L, 1000, 5000, 2, StopReason.CONCENTRATION},
            {51L, 1000, 1001, 2, StopReason.NON_DIFFUSION},
            {51L, 1000, 1000, 2, null},
            {51L, 1000, 1000, 29, null},
            {51L, 1000, 1000, 30, StopReason.MAX_ROUNDS},
        };
        for (Object[] row : rows) {
            List<RoundStats> rounds = new ArrayList<>();
            for (int i = 0; i < (int) row[3]; i++) {
                rounds.add(round(i, (int) row[1], (int) row[2]));
            }
            RoundDecision decision = ConvergenceController.decide(new Situation(rounds,
                    (long) row[0], 9 * SECOND, TOO_LONG, 0, 0), classic);
            String what = List.of(row[0], row[1], row[2], row[3]).toString();
            if (row[4] == null) {
                assertInstanceOf(RoundDecision.Continue.class, decision, what);
            } else {
                assertEquals(row[4], assertInstanceOf(RoundDecision.StopAndCopy.class, decision,
                        what).reason(), what);
            }
        }
    }

    @Test
    void theLastRoundIsPredictedAtItsOwnRate() {
        List<RoundStats> rounds = history(4000, 4000);
        DowntimePrediction.Fixed nothing = new DowntimePrediction.Fixed(0, 0);
        DowntimePrediction open = DowntimePrediction.of(rounds, 1000, nothing, 0);
        DowntimePrediction capped = DowntimePrediction.of(rounds, 1000, nothing, 400_000);
        DowntimePrediction wide = DowntimePrediction.of(rounds, 1000, nothing, 1L << 40);
        assertEquals(open, wide);
        double wanted = 1000 * 4105 / (400_000 * RateLimiter.SHARE) * 1e9;
        assertEquals(wanted, capped.p50Nanos(), wanted / 100);
        assertTrue(open.p50Nanos() < capped.p50Nanos());
    }

    private static MigrationLimits auto(int maxStolenPercent) {
        return limits(Policy.DOWNTIME_BUDGET, OnNoConvergence.STOP_AND_COPY,
                new Throttling(Throttle.AUTO, 0, null, maxStolenPercent));
    }

    private static MigrationLimits limits(Policy policy, OnNoConvergence then,
            Throttling throttling) {
        MigrationLimits usual = MigrationLimits.defaults();
        return new MigrationLimits(policy, usual.maxDowntimeNanos(), usual.maxRounds(),
                usual.timeoutNanos(), then, usual.maxSwitchoverNanos(), usual.bandwidth(),
                throttling);
    }

    private static RoundDecision decide(MigrationLimits limits, int level, long stolenNanos,
            int... dirtied) {
        return ConvergenceController.decide(new Situation(history(dirtied),
                dirtied[dirtied.length - 1], 9 * SECOND, TOO_LONG, level, stolenNanos), limits);
    }

    private static List<RoundStats> history(int... dirtied) {
        List<RoundStats> rounds = new ArrayList<>();
        for (int i = 0; i < dirtied.length; i++) {
            rounds.add(round(i, 1000, dirtied[i]));
        }
        return rounds;
    }

    private static RoundStats round(int number, int sent, int dirtied) {
        return new RoundStats(number, false, sent,
                new PagesByCodec(0, sent, 0, 0, 0), 0, sent * 4105L, SECOND,
                dirtied, 0);
    }
}
