package io.pageferry.agent.state.guard;

import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Knows whether agents of this process have their guards in a service. It looks now and then, on a
 * thread of its own, as a service that hangs is waited for; whoever asks gets what it saw last. Any
 * thread.
 */
public final class GuardLook {
    /** A connection to the service each time. */
    private static final long LOOK_NANOS = 5_000_000_000L;

    private final LongSupplier nanoClock;
    private volatile boolean there;
    private long looked;
    private Thread looking;

    /**
     * Looks for the first time, and waits for that.
     *
     * @param nanoClock monotonic
     */
    public GuardLook(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        this.looked = nanoClock.getAsLong();
        look();
    }

    /** {@return whether one answered when it was looked last; else agents start guards} */
    public boolean isThere() {
        return there;
    }

    /** Looks again where that was some seconds ago; returns at once. */
    public synchronized void tick() {
        long now = nanoClock.getAsLong();
        if (now - looked >= LOOK_NANOS && (looking == null || !looking.isAlive())) {
            looked = now;
            looking = Thread.ofPlatform().daemon().name("guard look").start(this::look);
        }
    }

    private void look() {
        Optional<ServiceChannel> channel = ServiceChannel.find();
        channel.ifPresent(ServiceChannel::close);
        there = channel.isPresent();
    }
}
