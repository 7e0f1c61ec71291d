package io.pageferry.core.simulation;

import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.migration.Verification;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.outgoing.session.Wording;
import io.pageferry.core.precopy.DowntimePrediction;
import io.pageferry.core.round.Bandwidth;
import io.pageferry.core.round.MigrationLimits;
import io.pageferry.core.round.MigrationLimits.Throttle;
import io.pageferry.core.round.MigrationLimits.Throttling;
import io.pageferry.core.round.WriteThrottle.Quota;
import io.pageferry.core.testing.Draws;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What the operators of both sides asked for in one simulation, drawn before it begins. */
final class Wishes {
    private static final long SECOND = 1_000_000_000L;
    private static final int MILLI = 1_000_000;

    /** Below it no pause is ever begun: what a switch-over is believed to cost beside its pages. */
    private static final int FIXED_COST_MILLIS = 60;

    /** Words that {@link #happened} has once they were drawn. */
    static final List<String> ALL = List.of("tracker scan", "verify full", "verify none", "cold",
            "throttle AUTO", "throttle FIXED", "write quota", "bandwidth", "bandwidth paused",
            "short negotiation", "short timeout", "short switchover", "short settle window",
            "short reconnect window", "short wait for the grant", "short wait for the farewell",
            "image kept for short");

    final boolean scan;
    final SourceOptions source;
    final TargetOptions target;
    private final Random random;
    private final Mutant mutant;
    private final List<String> words = new ArrayList<>();
    private boolean pressed;

    Wishes(Random from, Mutant mutant) {
        long seed = from.nextLong();
        this.random = new Random(seed);
        this.mutant = mutant;
        boolean cold = one(15, "cold");
        boolean reconnects = !cold && random.nextInt(3) > 0 || mutant == Mutant.NO_GENERATION;
        this.scan = one(4, "tracker scan");
        this.source = source(cold, reconnects);
        this.target = target(reconnects);
    }

    /** What was asked for, in words that do not depend on the seed. */
    List<String> words() {
        return List.copyOf(words);
    }

    /** Whether a limit is so short that it may end a migration in which nothing goes wrong. */
    boolean isPressed() {
        return pressed;
    }

    /** Most of the guest's time that may be taken, in percent. */
    int maxStolenPercent() {
        return source.limits().throttling().maxStolenPercent();
    }

    /** What the link may carry in a second at the moment, 0 for no bound. */
    long bytesPerSecond(boolean paused) {
        Bandwidth bound = source.limits().bandwidth();
        return paused ? bound.switchoverBytesPerSecond() : bound.bytesPerSecond();
    }

    private boolean one(int of, String word) {
        boolean drawn = mutant == Mutant.NONE && random.nextInt(of) == 0;
        if (drawn) {
            words.add(word);
        }
        return drawn;
    }

    /** A duration that is usually long enough for anything. */
    private long usually(long nanos, int leastMillis, String word) {
        if (!one(25, word)) {
            return nanos;
        }
        pressed = true;
        return (leastMillis + random.nextInt(1 << random.nextInt(11))) * (long) MILLI
                + random.nextInt(MILLI);
    }

    private SourceOptions source(boolean cold, boolean reconnects) {
        boolean verifies = !one(4, "verify none");
        boolean full = verifies && one(4, "verify full");
        long window = reconnects ? usually(30 * SECOND, 1, "short reconnect window") : 0;
        return new SourceOptions(limits(), Draws.codec(random), Draws.deltaCache(random),
                1 + random.nextInt(3), !verifies ? Verification.NONE
                        : full ? Verification.FULL : Verification.SENT,
                cold, usually(10 * SECOND, 0, "short negotiation"),
                usually(30 * SECOND, 0, "short settle window"), window, true, one(2, "audit"),
                new DowntimePrediction.Fixed(SECOND / 50, FIXED_COST_MILLIS * (long) MILLI),
                Wording.labels(), "");
    }

    private MigrationLimits limits() {
        return new MigrationLimits(MigrationLimits.Policy.values()[random.nextInt(2)],
                (FIXED_COST_MILLIS + 1 + random.nextInt(100)) * (long) MILLI,
                2 + random.nextInt(6), usually(3600 * SECOND, 0, "short timeout"),
                random.nextInt(10) == 0 ? MigrationLimits.OnNoConvergence.ABORT
                        : MigrationLimits.OnNoConvergence.STOP_AND_COPY,
                usually(60 * SECOND, FIXED_COST_MILLIS, "short switchover"), bandwidth(),
                throttling());
    }

    /** What an operator may want instead, but for what the verdict knows the migration by. */
    MigrationLimits others(Random of) {
        MigrationLimits usual = source.limits();
        return new MigrationLimits(usual.policy(),
                (FIXED_COST_MILLIS + 1 + of.nextInt(1000)) * (long) MILLI, usual.maxRounds(),
                usual.timeoutNanos(), of.nextInt(10) == 0 ? MigrationLimits.OnNoConvergence.ABORT
                        : MigrationLimits.OnNoConvergence.STOP_AND_COPY,
                usual.maxSwitchoverNanos(), usual.bandwidth(), usual.throttling());
    }

    private Bandwidth bandwidth() {
        if (mutant == Mutant.UNCOUNTED_BYTES) {
            return new Bandwidth(Bandwidth.LEAST, Bandwidth.LEAST);
        }
        if (!one(3, "bandwidth")) {
            return Bandwidth.UNLIMITED;
        }
        long rate = Bandwidth.LEAST << random.nextInt(10);
        long paused = random.nextInt(3) == 0 ? 0 : rate;
        if (one(4, "bandwidth paused")) {
            paused = Bandwidth.LEAST << random.nextInt(10);
        }
        return new Bandwidth(rate, paused);
    }

    private Throttling throttling() {
        if (mutant == Mutant.THROTTLE_LEFT_ON) {
            return new Throttling(Throttle.FIXED, 50, Quota.CLASSIC, 100);
        }
        boolean auto = one(4, "throttle AUTO");
        boolean fixed = !auto && one(5, "throttle FIXED");
        Quota quota = one(6, "write quota") ? new Quota(1 + random.nextInt(40),
                (1 + random.nextInt(20)) * (long) MILLI) : null;
        return new Throttling(auto ? Throttle.AUTO : fixed ? Throttle.FIXED : Throttle.NONE,
                random.nextInt(100), quota, random.nextInt(3) > 0 ? random.nextInt(101) : 100);
    }

    private TargetOptions target(boolean reconnects) {
        long window = reconnects ? usually(30 * SECOND, 1, "image kept for short") : 0;
        return new TargetOptions(1 + random.nextInt(3),
                usually(10 * SECOND, 0, "short wait for the grant"),
                usually(30 * SECOND, 0, "short wait for the farewell"), 1 + random.nextInt(3),
                window);
    }
}
