package io.pageferry.core.round;

import io.pageferry.core.words.Labelled;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Every limit of a migration, stated once. Durations in nanoseconds.
 *
 * @param policy            how the decision to stop is taken
 * @param maxDowntimeNanos  budget of {@link Policy#DOWNTIME_BUDGET}
 * @param maxRounds         pre-copy rounds, the stop-and-copy round not among them, ≥ 1
 * @param timeoutNanos      bounds pre-copy
 * @param onNoConvergence   what then
 * @param maxSwitchoverNanos bounds the pause before the grant
 * @param bandwidth         of the link
 * @param throttling        of the guest's writes
 */
public record MigrationLimits(
        Policy policy,
        long maxDowntimeNanos,
        int maxRounds,
        long timeoutNanos,
        OnNoConvergence onNoConvergence,
        long maxSwitchoverNanos,
        Bandwidth bandwidth,
        Throttling throttling) {
    /**
     * Dirty pages at which {@link Policy#KVM_CLASSIC} is content: 50, the concentration of the
     * classic literature and of Xen.
     */
    public static final long CONCENTRATION_PAGES = 50;

    private static final long MILLI = 1_000_000L;

    /** What may change, by the names of the options; the bound of disks follows the link's. */
    private static final List<String> NAMES = List.of("bandwidth", "bandwidth-switchover",
            "max-downtime", "max-rounds", "timeout", "max-switchover", "on-no-convergence",
            "throttle", "max-stolen", "write-quota");

    /** 300 ms, QEMU's and Cloud Hypervisor's default too. */
    public static final long DEFAULT_DOWNTIME_NANOS = 300_000_000L;

    /** 30 rounds, 0 to 29: the bound of the classic literature. */
    public static final int DEFAULT_ROUNDS = 30;

    /** The rules by which pre-copy ends. */
    public enum Policy implements Labelled {
        /** Stop when the 95th percentile of the predicted downtime fits the budget. */
        DOWNTIME_BUDGET,
        /** Concentration, non-diffusion, bounded rounds. */
        KVM_CLASSIC
    }

    /** How the guest's writes are slowed down. */
    public enum Throttle implements Labelled {
        /** Not at all. */
        NONE,
        /** As the policy finds right; {@link Policy#KVM_CLASSIC} by its quota. */
        AUTO,
        /** By a fixed percentage for the whole of pre-copy. */
        FIXED
    }

    /**
     * How the guest's writes may be slowed down.
     *
     * @param how              in which way
     * @param percent          of {@link Throttle#FIXED}, 0 … 99
     * @param quota            holds for the whole of pre-copy, or null for none
     * @param maxStolenPercent most of the guest's time that may be taken over the move, 0 … 100
     */
    public record Throttling(Throttle how, int percent, WriteThrottle.Quota quota,
            int maxStolenPercent) {
        /** The guest is left alone. */
        public static final Throttling NONE = new Throttling(Throttle.NONE, 0, null, 100);

        /** {@return whether the guest has to have a throttle} */
        public boolean isAsked() {
            return how != Throttle.NONE || quota != null;
        }
    }

    /**
     * Bounds the link.
     *
     * @param bound what may be taken of it
     * @return the changed copy
     */
    public MigrationLimits with(Bandwidth bound) {
        return new MigrationLimits(policy, maxDowntimeNanos, maxRounds, timeoutNanos,
                onNoConvergence, maxSwitchoverNanos, bound, throttling);
    }

    /**
     * Has the guest's writes slowed down.
     *
     * @param slowing in which way
     * @return the changed copy
     */
    public MigrationLimits with(Throttling slowing) {
        return new MigrationLimits(policy, maxDowntimeNanos, maxRounds, timeoutNanos,
                onNoConvergence, maxSwitchoverNanos, bandwidth, slowing);
    }

    /** {@return why they cannot hold, in one line, or empty} */
    public Optional<String> obstacle() {
        long least = Math.min(Math.min(maxDowntimeNanos, timeoutNanos), maxSwitchoverNanos);
        long rate = Math.min(bound(bandwidth.bytesPerSecond()),
                bound(bandwidth.switchoverBytesPerSecond()));
        return least < 0 || maxRounds < 1 ? Optional.of("a time below 0, or less than one round")
                : rate < Bandwidth.LEAST ? Optional.of("a bandwidth of " + rate
                        + " bytes a second, which is less than " + Bandwidth.LEAST)
                : throttling.percent() < 0 || throttling.percent() > WriteThrottle.MAX_PERCENT
                        || throttling.maxStolenPercent() < 0 || throttling.maxStolenPercent() > 100
                ? Optional.of("a throttle of more than " + WriteThrottle.MAX_PERCENT
                        + " %, or a share beyond 0 to 100 %") : Optional.empty();
    }

    private static long bound(long bytesPerSecond) {
        return bytesPerSecond == 0 ? Long.MAX_VALUE : bytesPerSecond;
    }

    /**
     * Names what others change.
     *
     * @param others  that are to hold from now on
     * @param atNanos since the migration began
     * @return each limit that differs
     */
    public List<LimitChange> changesTo(MigrationLimits others, long atNanos) {
        List<String> before = values();
        List<String> after = others.values();
        List<LimitChange> changes = new ArrayList<>();
        for (int i = 0; i < NAMES.size(); i++) {
            if (!before.get(i).equals(after.get(i))) {
                changes.add(new LimitChange(atNanos, NAMES.get(i), before.get(i), after.get(i)));
            }
        }
        return changes;
    }

    /** In the order of {@link #NAMES}, for people. */
    private List<String> values() {
        WriteThrottle.Quota quota = throttling.quota();
        return List.of(rate(bandwidth.bytesPerSecond()),
                rate(bandwidth.switchoverBytesPerSecond()), millis(maxDowntimeNanos),
                Integer.toString(maxRounds), millis(timeoutNanos), millis(maxSwitchoverNanos),
                onNoConvergence.label(), throttling.how() == Throttle.FIXED
                        ? throttling.percent() + "%" : throttling.how().label(),
                throttling.maxStolenPercent() + "%",
                quota == null ? "none" : quota.writes() + "/" + millis(quota.periodNanos()));
    }

    private static String rate(long bytesPerSecond) {
        return bytesPerSecond == 0 ? "none" : bytesPerSecond + "B/s";
    }

    private static String millis(long nanos) {
        return nanos / MILLI + "ms";
    }

    /**
     * Has nothing but the timeout hold: a guest that stands still while it moves has no downtime.
     *
     * @return the changed copy
     */
    public MigrationLimits standingStill() {
        return new MigrationLimits(policy, timeoutNanos, maxRounds, timeoutNanos, onNoConvergence,
                timeoutNanos, bandwidth, throttling);
    }

    /**
     * Bounds the whole move.
     *
     * @param nanos of pre-copy, or of the move where the guest stands still
     * @return the changed copy
     */
    public MigrationLimits within(long nanos) {
        return new MigrationLimits(policy, maxDowntimeNanos, maxRounds, nanos, onNoConvergence,
                maxSwitchoverNanos, bandwidth, throttling);
    }

    /** What to do when pre-copy cannot get there. */
    public enum OnNoConvergence implements Labelled {
        /** Pause all the same. */
        STOP_AND_COPY,
        /** Give up; the guest runs on at the source. */
        ABORT
    }

    /**
     * Gives the defaults of the command line.
     *
     * @return 300 ms, 30 rounds, 1 h, stop-and-copy, 10 s
     */
    public static MigrationLimits defaults() {
        return new MigrationLimits(Policy.DOWNTIME_BUDGET, DEFAULT_DOWNTIME_NANOS, DEFAULT_ROUNDS,
                3_600_000_000_000L, OnNoConvergence.STOP_AND_COPY, 10_000_000_000L,
                Bandwidth.UNLIMITED, Throttling.NONE);
    }
}
