package io.pageferry.agent.session;

import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.host.process.ProcessAge;
import io.pageferry.agent.session.warmup.WarmUp;
import io.pageferry.agent.state.guard.AgentGuard;
import io.pageferry.agent.state.journal.Guard;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Side;
import java.util.function.BiFunction;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.agrona.concurrent.SystemNanoClock;

/**
 * How an agent gets its guest: by a URI, as the commands do, or from its embedder.
 *
 * @param text      the guest as its journal names it
 * @param opener    gives it
 * @param warmUp    asked on the agent's thread; gives what warms this process up, on another
 * @param startup   nanoseconds from the start of what is to be reported until now
 * @param guard     makes what finishes a migration whose agent died; nothing is started yet
 * @param <G>       as a source or a target sees it
 */
public record GuestFactory<G>(String text, Opener<G> opener, Supplier<Runnable> warmUp,
        LongSupplier startup, BiFunction<Side, MigrationListener, Guard> guard) {
    /**
     * Gets one that has another process for its guard, where it outlives this one.
     *
     * @param text    as above
     * @param opener  as above
     * @param warmUp  as above
     * @param startup as above
     */
    public GuestFactory(String text, Opener<G> opener, Supplier<Runnable> warmUp,
            LongSupplier startup) {
        this(text, opener, warmUp, startup, AgentGuard::new);
    }

    /**
     * Gives a guest.
     *
     * @param <G> as a source or a target sees it
     */
    @FunctionalInterface
    public interface Opener<G> {
        /**
         * Gives it, to be closed by the agent; a target asks again after each offer that came to
         * nothing.
         *
         * @param setup the agent's settings
         * @return the guest
         * @throws GuestException when it is not available, with the remedy
         */
        G open(GuestSetup setup) throws GuestException;
    }

    /**
     * Opens by a URI.
     *
     * @param uri of a guest at the source
     * @return how it is reached
     */
    public static GuestFactory<SourceGuest> source(GuestUri uri) {
        return new GuestFactory<>(uri.text(), setup -> GuestKinds.of(uri).openSource(uri, setup),
                () -> () -> WarmUp.run(uri), ProcessAge::nanos);
    }

    /**
     * Opens by a URI.
     *
     * @param uri of a guest at the target
     * @return how it is reached
     */
    public static GuestFactory<TargetGuest> target(GuestUri uri) {
        return new GuestFactory<>(uri.text(), setup -> GuestKinds.of(uri).openTarget(uri, setup),
                () -> () -> WarmUp.run(uri), ProcessAge::nanos);
    }

    /**
     * Opens the same in a process that is warm and lives long: it is not warmed up again, and its
     * start was long before what is to be reported, which begins now.
     *
     * @return how it is reached
     */
    public GuestFactory<G> inWarmProcess() {
        long now = SystemNanoClock.INSTANCE.nanoTime();
        return new GuestFactory<>(text, opener, () -> () -> { },
                () -> SystemNanoClock.INSTANCE.nanoTime() - now, guard);
    }

    /**
     * Opens the same with another guard.
     *
     * @param other makes it
     * @return how it is reached
     */
    public GuestFactory<G> guardedBy(BiFunction<Side, MigrationListener, Guard> other) {
        return new GuestFactory<>(text, opener, warmUp, startup, other);
    }

    G open(GuestSetup setup) throws GuestException {
        return opener.open(setup);
    }

    long startupNanos() {
        return startup.getAsLong();
    }
}
