package io.pageferry.core.testing;

import io.pageferry.core.round.WriteThrottle;
import org.agrona.concurrent.NanoClock;

/** A throttle that takes exactly what it is told to. Confined to one thread. */
public final class TestGate implements WriteThrottle {
    private final NanoClock clock;
    private int percent;
    private Quota quota;
    private long stolen;
    private long since;

    /**
     * Makes an open one.
     *
     * @param clock of the test
     */
    public TestGate(NanoClock clock) {
        this.clock = clock;
        this.since = clock.nanoTime();
    }

    /** {@return the strength that is set} */
    public int percent() {
        return percent;
    }

    /** {@return the quota that is set, or null} */
    public Quota quota() {
        return quota;
    }

    @Override
    public String name() {
        return "test";
    }

    @Override
    public void set(int newPercent) {
        stolen = stolenNanos();
        since = clock.nanoTime();
        percent = newPercent;
    }

    @Override
    public void quota(Quota newQuota) {
        quota = newQuota;
    }

    @Override
    public long stolenNanos() {
        return stolen + (clock.nanoTime() - since) * percent / 100;
    }

    @Override
    public void close() {
        set(0);
        quota = null;
    }
}
