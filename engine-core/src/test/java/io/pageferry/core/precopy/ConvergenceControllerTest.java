package io.pageferry.core.precopy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.pageferry.core.precopy.ConvergenceController.Situation;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.MigrationLimits.OnNoConvergence;
import io.pageferry.core.round.MigrationLimits.Policy;
import io.pageferry.core.round.PagesByCodec;
import io.pageferry.core.round.RoundStats;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The decision after a round, from tables of numbers. */
class ConvergenceControllerTest {
    private static final String CONTINUE = "continue";
    private static final String ABORT = "abort";
    private static final long MILLI = 1_000_000L;
    private static final long HOUR = 3_600_000_000_000L;

    /** A row for KVM_CLASSIC: the last round, what is left, and what must follow. */
    private record Classic(String name, int round, long sent, long dirtied, long remaining,
            String expected) { }

    private static final List<Classic> CLASSIC = List.of(
            new Classic("50 pages left", 0, 1000, 50, 50, "concentration"),
            new Classic("51 pages left", 0, 1000, 51, 51, CONTINUE),
            new Classic("nothing left", 0, 1000, 0, 0, "concentration"),
            new Classic("sent one less than dirtied", 3, 99, 100, 100, "non-diffusion"),
            new Classic("sent as many as dirtied", 3, 100, 100, 100, CONTINUE),
            new Classic("sent one more than dirtied", 3, 101, 100, 100, CONTINUE),
            new Classic("non-diffusion in round 0", 0, 99, 100, 100, "non-diffusion"),
            new Classic("concentration goes before non-diffusion", 3, 10, 50, 50,
                    "concentration"),
            new Classic("round 28 is over", 28, 200, 100, 100, CONTINUE),
            new Classic("round 29 is over", 29, 200, 100, 100, "max-rounds"),
            new Classic("round 30 is over", 30, 200, 100, 100, "max-rounds"),
            new Classic("concentration goes before bounded", 29, 200, 50, 50, "concentration"),
            new Classic("non-diffusion goes before bounded", 29, 99, 100, 100, "non-diffusion"));

    /**
     * A row for DOWNTIME_BUDGET: newly dirty pages of each round, P95, and what must follow; 100
     * pages are left.
     */
    private record Budget(String name, List<Long> dirtied, long p95Millis, String expected) { }

    private static final List<Budget> BUDGET = List.of(
            new Budget("met exactly", List.of(199L), 300, "budget"),
            new Budget("met", List.of(199L), 1, "budget"),
            new Budget("met, and another round would halve what is left", List.of(200L), 1,
                    CONTINUE),
            new Budget("missed by a millisecond", List.of(5000L), 301, CONTINUE),
            new Budget("five rounds are no stall", List.of(100L, 100L, 100L, 100L, 100L), 301,
                    CONTINUE),
            new Budget("five rounds after the first stall",
                    List.of(100L, 100L, 100L, 100L, 100L, 100L), 301, "non-diffusion"),
            new Budget("95 % of what it was is a stall",
                    List.of(100L, 95L, 95L, 95L, 95L, 95L), 301, "non-diffusion"),
            new Budget("one round below 95 % is progress",
                    List.of(100L, 100L, 94L, 100L, 100L, 100L), 301, CONTINUE),
            new Budget("progress more than five rounds ago is forgotten",
                    List.of(1000L, 100L, 100L, 100L, 100L, 100L, 100L), 301, "non-diffusion"),
            new Budget("the first round's fall counts within five rounds",
                    List.of(1000L, 100L, 100L, 100L, 100L, 100L), 301, CONTINUE),
            new Budget("a stall within the budget stops for the budget",
                    List.of(100L, 100L, 100L, 100L, 100L, 100L), 300, "budget"));

    @TestFactory
    Stream<DynamicTest> classic() {
        return CLASSIC.stream().map(row -> dynamicTest(row.name, () -> {
            RoundStats last = round(row.round, row.sent, row.dirtied);
            for (OnNoConvergence choice : OnNoConvergence.values()) {
                RoundDecision decision = decide(List.of(last), row.remaining, 0, 0,
                        limits(Policy.KVM_CLASSIC, choice));
                // Only the bounds leave a choice; the other two rules are the wish itself.
                boolean aborts = choice == OnNoConvergence.ABORT
                        && row.expected.equals("max-rounds");
                assertEquals(aborts ? ABORT : row.expected, word(decision));
            }
        }));
    }

    @TestFactory
    Stream<DynamicTest> budget() {
        return BUDGET.stream().map(row -> dynamicTest(row.name, () -> {
            for (OnNoConvergence choice : OnNoConvergence.values()) {
                RoundDecision decision = decide(history(row.dirtied), 100, 0,
                        row.p95Millis * MILLI, limits(Policy.DOWNTIME_BUDGET, choice));
                boolean aborts = choice == OnNoConvergence.ABORT
                        && row.expected.equals("non-diffusion");
                assertEquals(aborts ? ABORT : row.expected, word(decision));
            }
        }));
    }

    @Test
    void theBudgetIsBoundedInRoundsToo() {
        for (int round : new int[] {28, 29}) {
            RoundDecision decision = decide(List.of(round(round, 100, 10_000)), 10_000, 0,
                    301 * MILLI, limits(Policy.DOWNTIME_BUDGET, OnNoConvergence.STOP_AND_COPY));
            assertEquals(round == 29 ? "max-rounds" : CONTINUE, word(decision));
        }
    }

    @Test
    void timeIsUpAtTheTimeoutAndNotBefore() {
        for (Policy policy : Policy.values()) {
            for (long elapsed : new long[] {HOUR - 1, HOUR, HOUR + 1}) {
                for (OnNoConvergence choice : OnNoConvergence.values()) {
                    RoundDecision decision = decide(List.of(round(0, 1000, 100)), 100, elapsed,
                            301 * MILLI, limits(policy, choice));
                    String then = choice == OnNoConvergence.ABORT ? ABORT : "timeout";
                    assertEquals(elapsed < HOUR ? CONTINUE : then, word(decision));
                }
            }
        }
    }

    @Test
    void noStopAndCopyIsBegunThatIsPredictedToPauseTooLong() {
        MigrationLimits limits = limits(Policy.KVM_CLASSIC, OnNoConvergence.STOP_AND_COPY);
        long longest = limits.maxSwitchoverNanos();
        for (long p95 : new long[] {longest, longest + 1}) {
            for (int remaining : new int[] {50, 100}) {
                RoundDecision decision = decide(List.of(round(29, 200, 100)), remaining, 0, p95,
                        limits);
                if (p95 > longest) {
                    assertEquals(new RoundDecision.PauseTooLong(p95, longest), decision);
                } else {
                    assertEquals(remaining == 50 ? "concentration" : "max-rounds",
                            word(decision));
                }
            }
        }
        // A round more costs no pause, however long the pause would be.
        assertEquals(CONTINUE, word(decide(List.of(round(0, 200, 100)), 100, 0, longest + 1,
                limits)));
    }

    @Test
    void everyDecisionSaysWhy() {
        for (Classic row : CLASSIC) {
            RoundDecision decision = decide(List.of(round(row.round, row.sent, row.dirtied)),
                    row.remaining, 0, 0, limits(Policy.KVM_CLASSIC, OnNoConvergence.ABORT));
            assertTrue(decision.toString().matches(".*why=.*\\d+ pages.*"), decision.toString());
        }
    }

    private static RoundDecision decide(List<RoundStats> rounds, long remaining, long elapsed,
            long p95, MigrationLimits limits) {
        return ConvergenceController.decide(new Situation(rounds, remaining, elapsed,
                new DowntimePrediction(0, p95), 0, 0), limits);
    }

    private static MigrationLimits limits(Policy policy, OnNoConvergence choice) {
        MigrationLimits usual = MigrationLimits.defaults();
        return new MigrationLimits(policy, usual.maxDowntimeNanos(), usual.maxRounds(),
                usual.timeoutNanos(), choice, usual.maxSwitchoverNanos(),
                usual.bandwidth(), usual.throttling());
    }

    private static List<RoundStats> history(List<Long> dirtied) {
        List<RoundStats> rounds = new ArrayList<>();
        for (long pages : dirtied) {
            rounds.add(round(rounds.size(), pages, pages));
        }
        return rounds;
    }

    private static RoundStats round(long round, long sent, long dirtied) {
        return new RoundStats(round, false, sent,
                new PagesByCodec(0, sent, 0, 0, 0), 0, sent * 4105, 1_000_000,
                dirtied, 0);
    }

    private static String word(RoundDecision decision) {
        return switch (decision) {
            case RoundDecision.Continue more -> CONTINUE;
            case RoundDecision.Throttle slower -> "throttle";
            case RoundDecision.StopAndCopy stop -> stop.reason().label();
            case RoundDecision.Abort abort -> ABORT;
            case RoundDecision.PauseTooLong pause -> ABORT;
        };
    }
}
