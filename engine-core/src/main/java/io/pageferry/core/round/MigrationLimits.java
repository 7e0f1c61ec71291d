package io.pageferry.core.round;

/**
 * Every limit of a migration, stated once. Durations in nanoseconds.
 *
 * @param policy            how the decision to stop is taken
 * @param maxDowntimeNanos  budget of {@link Policy#DOWNTIME_BUDGET}
 * @param maxRounds         pre-copy rounds, the stop-and-copy round not among them, ≥ 1
 * @param timeoutNanos      bounds pre-copy
 * @param onNoConvergence   what then
 * @param maxSwitchoverNanos bounds the pause before the grant
 */
public record MigrationLimits(
        Policy policy,
        long maxDowntimeNanos,
        int maxRounds,
        long timeoutNanos,
        OnNoConvergence onNoConvergence,
        long maxSwitchoverNanos) {
    /**
     * Dirty pages at which {@link Policy#KVM_CLASSIC} is content: 50, the concentration of the
     * classic literature and of Xen.
     */
    public static final long CONCENTRATION_PAGES = 50;

    /** 300 ms, QEMU's and Cloud Hypervisor's default too. */
    public static final long DEFAULT_DOWNTIME_NANOS = 300_000_000L;

    /** 30 rounds, 0 to 29: the bound of the classic literature. */
    public static final int DEFAULT_ROUNDS = 30;

    /** The rules by which pre-copy ends. */
    public enum Policy {
        /** Stop when the 95th percentile of the predicted downtime fits the budget. */
        DOWNTIME_BUDGET,
        /** Concentration, non-diffusion, bounded rounds. */
        KVM_CLASSIC
    }

    /** What to do when pre-copy cannot get there. */
    public enum OnNoConvergence {
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
                3_600_000_000_000L, OnNoConvergence.STOP_AND_COPY, 10_000_000_000L);
    }
}
