package io.pageferry.core.round;

import io.pageferry.core.round.MigrationLimits.OnNoConvergence;
import io.pageferry.core.round.MigrationLimits.Policy;
import io.pageferry.core.round.RoundDecision.Abort;
import io.pageferry.core.round.RoundDecision.Continue;
import io.pageferry.core.round.RoundDecision.StopAndCopy;
import java.util.List;

/**
 * Decides after each pre-copy round: a pure function of history and limits. Two policies.
 *
 * <p>{@link Policy#KVM_CLASSIC}, in this order: at most 50 dirty pages are left (concentration);
 * the round sent fewer pages than were newly dirtied (non-diffusion); round 29 is over (bounded).
 *
 * <p>{@link Policy#DOWNTIME_BUDGET}: the 95th percentile of the predicted downtime fits the
 * budget, and the dirty set does not halve any more with each round. Where it does not fit and no
 * round of the last {@link #STALL_ROUNDS} brought the dirty set below 95 % of what it was before
 * them, or rounds or time are used up, the operator's choice decides: stop-and-copy or abort. A
 * stop-and-copy predicted to exceed the longest allowed pause is never begun.
 */
public final class ConvergenceController {
    /** Rounds without progress after which more rounds are only more traffic. */
    static final int STALL_ROUNDS = 5;

    /** A dirty set that stays above this share for {@link #STALL_ROUNDS} rounds does not shrink. */
    static final double STALL_SHARE = 0.95;

    private ConvergenceController() {
    }

    /**
     * What is known after a round.
     *
     * @param rounds       finished pre-copy rounds, at least one, in order
     * @param remaining    pages dirty now
     * @param elapsedNanos since pre-copy began
     * @param prediction   of the downtime for {@code remaining}
     */
    public record Situation(List<RoundStats> rounds, long remaining, long elapsedNanos,
            DowntimePrediction prediction) {
        RoundStats last() {
            return rounds.getLast();
        }
    }

    /**
     * Decides.
     *
     * @param now    what is known
     * @param limits what the operator allows
     * @return the decision with its reason
     */
    public static RoundDecision decide(Situation now, MigrationLimits limits) {
        RoundDecision wish = limits.policy() == Policy.KVM_CLASSIC
                ? classic(now, limits)
                : budget(now, limits);
        if (wish instanceof StopAndCopy && now.prediction().p95Nanos()
                > limits.maxSwitchoverNanos()) {
            return new Abort("a stop-and-copy would take " + millis(now.prediction().p95Nanos())
                    + ", longer than --max-switchover " + millis(limits.maxSwitchoverNanos()));
        }
        return wish;
    }

    private static RoundDecision classic(Situation now, MigrationLimits limits) {
        if (now.remaining() <= MigrationLimits.CONCENTRATION_PAGES) {
            return new StopAndCopy(StopReason.CONCENTRATION, now.remaining() + " pages left");
        }
        if (now.last().sentPages() < now.last().newlyDirty()) {
            return new StopAndCopy(StopReason.NON_DIFFUSION, "sent " + now.last().sentPages()
                    + " pages while " + now.last().newlyDirty() + " were dirtied");
        }
        return bounded(now, limits, now.remaining() + " pages left");
    }

    private static RoundDecision budget(Situation now, MigrationLimits limits) {
        long p95 = now.prediction().p95Nanos();
        String predicted = "predicted downtime " + millis(p95) + " (P95), budget "
                + millis(limits.maxDowntimeNanos());
        if (p95 <= limits.maxDowntimeNanos()) {
            if (stillHalving(now, limits)) {
                return new Continue("fits, and another round leaves less; " + predicted);
            }
            return new StopAndCopy(StopReason.BUDGET, predicted);
        }
        if (stalled(now)) {
            return noConvergence(StopReason.NON_DIFFUSION, limits,
                    "no progress in " + STALL_ROUNDS + " rounds; " + predicted);
        }
        return bounded(now, limits, predicted);
    }

    private static RoundDecision bounded(Situation now, MigrationLimits limits, String why) {
        if (now.last().round() + 1 >= limits.maxRounds()) {
            return noConvergence(StopReason.MAX_ROUNDS, limits,
                    (now.last().round() + 1) + " rounds done; " + why);
        }
        if (now.elapsedNanos() >= limits.timeoutNanos()) {
            return noConvergence(StopReason.TIMEOUT, limits, "time is up; " + why);
        }
        return new Continue(why);
    }

    private static RoundDecision noConvergence(StopReason reason, MigrationLimits limits,
            String why) {
        return limits.onNoConvergence() == OnNoConvergence.ABORT
                ? new Abort(why)
                : new StopAndCopy(reason, why);
    }

    /**
     * Whether a further round is cheap: rounds that halve take no longer, all together, than the
     * last one did, and each takes as much off the downtime as it lasts.
     */
    private static boolean stillHalving(Situation now, MigrationLimits limits) {
        return now.remaining() > MigrationLimits.CONCENTRATION_PAGES
                && now.remaining() <= now.last().dirtyPages() / 2
                && now.last().round() + 1 < limits.maxRounds()
                && now.elapsedNanos() < limits.timeoutNanos();
    }

    private static boolean stalled(Situation now) {
        List<RoundStats> rounds = now.rounds();
        int before = rounds.size() - 1 - STALL_ROUNDS;
        if (before < 0) {
            return false;
        }
        double bar = rounds.get(before).newlyDirty() * STALL_SHARE;
        return rounds.subList(before + 1, rounds.size()).stream()
                .allMatch(round -> round.newlyDirty() >= bar);
    }

    private static String millis(long nanos) {
        return nanos / 1_000_000 + " ms";
    }
}
