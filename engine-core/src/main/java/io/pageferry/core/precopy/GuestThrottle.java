package io.pageferry.core.precopy;

import io.pageferry.core.round.MigrationLimits.Throttle;
import io.pageferry.core.round.MigrationLimits.Throttling;
import io.pageferry.core.round.WriteThrottle;
import java.util.Optional;

/**
 * The throttle of one migration: keeps what it takes of the guest within the operator's bound and
 * measures it. Without effect where nothing was asked for. Confined to the migration's thread.
 */
public final class GuestThrottle {
    private static final double PERCENT = 100;

    private final WriteThrottle gate;
    private Throttling allowed;
    private int percent;
    private int maxPercent;
    private int percentBefore;
    private long startNanos;
    private long stolenBefore;
    private long stolenOfRounds;
    /** From the start until it is lifted, whether or not the guest is slowed down. */
    private boolean running;
    private boolean on;
    private boolean wasOn;
    private boolean suspended;
    private long tookNanos;
    private long lastedNanos;

    /**
     * Makes one that does nothing yet.
     *
     * @param gate    the guest's, or empty; stays the guest's
     * @param allowed what the operator allows
     */
    public GuestThrottle(Optional<WriteThrottle> gate, Throttling allowed) {
        this.gate = gate.orElse(null);
        this.allowed = allowed;
    }

    /**
     * Begins: what is fixed holds from now on.
     *
     * @param nowNanos the clock
     */
    public void start(long nowNanos) {
        startNanos = nowNanos;
        running = true;
        if (gate != null && allowed.isAsked()) {
            turnOn();
        }
    }

    private void turnOn() {
        on = true;
        stolenBefore = gate.stolenNanos();
        set(strength(0));
    }

    /** What is asked for says it all but for {@link Throttle#AUTO}, which goes on from there. */
    private int strength(int present) {
        return switch (allowed.how()) {
            case NONE -> 0;
            case AUTO -> present;
            case FIXED -> allowed.percent();
        };
    }

    /**
     * Changes what is allowed, from now on.
     *
     * @param other what the operator allows instead
     */
    public void allow(Throttling other) {
        if (gate == null || other.equals(allowed)) {
            return;
        }
        allowed = other;
        percentBefore = strength(percentBefore);
        if (on) {
            set(strength(percent));
        } else if (running && other.isAsked()) {
            turnOn();
        }
    }

    /**
     * Returns why something cannot be allowed. Any thread.
     *
     * @param other what is asked for
     * @return one line, or empty
     */
    public Optional<String> refusal(Throttling other) {
        return !other.isAsked() ? Optional.empty()
                : gate == null ? Optional.of("this guest cannot be throttled")
                : other.quota() != null && !gate.hasQuota()
                ? Optional.of("the single writes of this guest are not seen, so they have no quota")
                : Optional.empty();
    }

    /**
     * Goes on as it was before it was lifted, where it was; what it took by then counts on.
     */
    public void goOn() {
        running = true;
        if (gate != null && !on && wasOn) {
            on = true;
            set(percentBefore);
        } else if (gate != null && !on && allowed.isAsked()) {
            turnOn();
        }
    }

    /**
     * Sets the strength.
     *
     * @param newPercent 0 … {@link WriteThrottle#MAX_PERCENT}
     */
    public void set(int newPercent) {
        if (on) {
            percent = newPercent;
            maxPercent = Math.max(maxPercent, newPercent);
            suspended = false;
            apply();
        }
    }

    /**
     * Lets the guest go while more of its time was taken than allowed. To be called often.
     *
     * @param nowNanos the clock
     */
    public void turn(long nowNanos) {
        if (!on || allowed.maxStolenPercent() >= PERCENT) {
            return;
        }
        boolean over = stolenNanos() * PERCENT
                > (double) allowed.maxStolenPercent() * (nowNanos - startNanos);
        if (over != suspended) {
            suspended = over;
            apply();
        }
    }

    /**
     * Undoes it, and notes what it cost. Idempotent.
     *
     * @param nowNanos the clock
     */
    public void lift(long nowNanos) {
        running = false;
        if (on) {
            gate.close();
            tookNanos = stolenNanos();
            lastedNanos = nowNanos - startNanos;
            on = false;
            wasOn = true;
            percentBefore = percent;
            percent = 0;
        }
    }

    /** {@return the strength that is set, 0 … 99} */
    public int percent() {
        return percent;
    }

    /** {@return the strongest that was set, 0 … 99} */
    public int maxPercent() {
        return maxPercent;
    }

    /** {@return guest time taken since the start, measured, in nanoseconds} */
    public long stolenNanos() {
        return on ? gate.stolenNanos() - stolenBefore : tookNanos;
    }

    /** {@return guest time taken since this was asked last, in nanoseconds} */
    public long stolenOfRound() {
        long all = stolenNanos();
        long since = all - stolenOfRounds;
        stolenOfRounds = all;
        return since;
    }

    /** {@return from the start to the lifting, in nanoseconds; 0 where nothing was asked for} */
    public long lastedNanos() {
        return lastedNanos;
    }

    private void apply() {
        gate.set(suspended ? 0 : percent);
        gate.quota(suspended ? null : allowed.quota());
    }
}
