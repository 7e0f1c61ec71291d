package io.pageferry.core.precopy;

import io.pageferry.core.precopy.RoundDecision.Abort;
import io.pageferry.core.precopy.RoundDecision.Continue;
import io.pageferry.core.precopy.RoundDecision.PauseTooLong;
import io.pageferry.core.precopy.RoundDecision.StopAndCopy;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.MigrationLimits.OnNoConvergence;
import io.pageferry.core.round.MigrationLimits.Policy;
import io.pageferry.core.round.MigrationLimits.Throttle;
import io.pageferry.core.round.RoundStats;
import io.pageferry.core.round.StopReason;
import io.pageferry.core.round.WriteThrottle;
import java.util.List;

/**
 * Decides after each pre-copy round: a pure function of history and limits. Two policies.
 *
 * <p>{@link Policy#KVM_CLASSIC}, in this order: at most 50 dirty pages are left (concentration);
 * the round sent fewer pages than were newly dirtied (non-diffusion); round 29 is over (bounded).
 * A throttle under this policy is the classic quota, or a fixed one; it never changes.
 *
 * <p>{@link Policy#DOWNTIME_BUDGET}: the 95th percentile of the predicted downtime fits the
 * budget, and the dirty set does not halve any more with each round. Where it does not fit and no
 * round of the last {@link #STALL_ROUNDS} brought the dirty set below 95 % of what it was before
 * them, or rounds or time are used up, the operator's choice decides: stop-and-copy or abort. With
 * {@link Throttle#AUTO} a guest that writes too fast is slowed down first: {@link #THROTTLE_STEP}
 * more where the dirty set shrinks by less than a tenth, as much less where it shrinks by more than
 * 40 %, and never so much that the next round, if it lasts as long as the last, would take more of
 * the guest's time than the operator allows over the move. Only when that is spent the operator's
 * choice decides. A stop-and-copy predicted to exceed the longest allowed pause is never begun.
 */
public final class ConvergenceController {
    /** Rounds without progress after which more rounds are only more traffic. */
    static final int STALL_ROUNDS = 5;

    /** A dirty set that stays above this share for {@link #STALL_ROUNDS} rounds does not shrink. */
    static final double STALL_SHARE = 0.95;

    /** Percent by which the throttle changes: the step of QEMU's auto-converge, but down too. */
    static final int THROTTLE_STEP = 10;

    /** A dirty set that keeps more than this of its size is not shrinking fast enough. */
    static final double SLOW_SHARE = 0.9;

    /** One that keeps less shrinks faster than it needs to. */
    static final double FAST_SHARE = 0.6;

    private ConvergenceController() {
    }

    /**
     * What is known after a round.
     *
     * @param rounds       finished pre-copy rounds, at least one, in order
     * @param remaining    pages dirty now
     * @param elapsedNanos since pre-copy began
     * @param prediction   of the downtime for {@code remaining}
     * @param throttle     strength that is set, 0 … 99
     * @param stolenNanos  guest time taken since pre-copy began
     */
    public record Situation(List<RoundStats> rounds, long remaining, long elapsedNanos,
            DowntimePrediction prediction, int throttle, long stolenNanos) {
        RoundStats last() {
            return rounds.getLast();
        }
    }

    /**
     * Decides what follows a round.
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
            return new PauseTooLong(now.prediction().p95Nanos(), limits.maxSwitchoverNanos());
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
        if (limits.throttling().how() == Throttle.AUTO) {
            RoundDecision bounded = bounded(now, limits, predicted);
            return bounded instanceof Continue ? throttled(now, limits, predicted) : bounded;
        }
        if (stalled(now)) {
            return noConvergence(StopReason.NON_DIFFUSION, limits,
                    "no progress in " + STALL_ROUNDS + " rounds; " + predicted);
        }
        return bounded(now, limits, predicted);
    }

    private static RoundDecision throttled(Situation now, MigrationLimits limits, String why) {
        int level = now.throttle();
        if (now.rounds().size() < 2) {
            return new Continue(why);
        }
        int affordable = affordable(now, limits.throttling().maxStolenPercent());
        double kept = (double) now.last().newlyDirty()
                / Math.max(1, now.rounds().get(now.rounds().size() - 2).newlyDirty());
        if (kept >= SLOW_SHARE) {
            int next = Math.min(level + THROTTLE_STEP, affordable);
            return next > level
                    ? new RoundDecision.Throttle(next, "the guest writes too fast; " + why)
                    : noConvergence(StopReason.NON_DIFFUSION, limits,
                            "no progress at a throttle of " + level
                            + " %, and no more of the guest's time may be taken; " + why);
        }
        int next = kept < FAST_SHARE ? Math.max(0, level - THROTTLE_STEP) : level;
        next = Math.min(next, affordable);
        return next == level ? new Continue(why)
                : new RoundDecision.Throttle(next, "the guest may go on faster; " + why);
    }

    /** The strongest throttle that keeps within the bound if the next round lasts like the last. */
    private static int affordable(Situation now, int maxStolenPercent) {
        double next = Math.max(1, now.last().durationNanos());
        double budget = maxStolenPercent / 100.0 * (now.elapsedNanos() + next);
        return (int) Math.clamp(100 * (budget - now.stolenNanos()) / next, 0.0,
                WriteThrottle.MAX_PERCENT);
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
