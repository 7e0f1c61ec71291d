package io.pageferry.agent.session.disk;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.host.process.Threads;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.GuestFactory;
import io.pageferry.agent.session.MigrateSettings;
import io.pageferry.agent.session.ReceiveSettings;
import io.pageferry.agent.session.SourceSession;
import io.pageferry.agent.session.TargetAgent;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.MigrationSnapshot;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.local.LocalPort;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/**
 * Copies disks within this process: a source and a target session, each on its own thread, joined
 * in memory. Both open their disks at once. What the source has is read only.
 */
public final class Conversion {
    /** A target that has the last word of its source ends at once. */
    private static final Duration LAST_WORD = Duration.ofSeconds(30);

    private final LocalPort port = new LocalPort();
    private final SourceSession source;
    private final TargetAgent target;
    /** Open once the target is ready for its source, or has ended. */
    private final CountDownLatch ready = new CountDownLatch(1);
    private volatile boolean opened;
    private volatile AgentResult taken;
    private volatile Throwable broken;

    /**
     * What is copied.
     *
     * @param from           the disks to be read
     * @param to             those to be filled
     * @param options        of the move
     * @param stateDirectory folder, or null for the user's
     */
    public record Settings(GuestFactory<SourceGuest> from, GuestFactory<TargetGuest> to,
            SourceOptions options, Path stateDirectory) { }

    /** Of both sessions: what the target has to say is said among the source's events. */
    private record Both(MigrationListener listener, boolean states) implements MigrationListener {
        @Override
        public void on(MigrationEvent event) {
            if (states || event instanceof MigrationEvent.Logged) {
                synchronized (listener) {
                    listener.on(event);
                }
            }
        }

        @Override
        public void onCycle(MigrationSnapshot now) {
            if (states) {
                synchronized (listener) {
                    listener.onCycle(now);
                }
            }
        }
    }

    /**
     * Makes a conversion.
     *
     * @param settings what to copy
     * @param listener receives the source's events, and what the target logs
     */
    public Conversion(Settings settings, MigrationListener listener) {
        this.source = new SourceSession(new MigrateSettings(
                settings.from().guardedBy((side, log) -> new OneProcessGuard()),
                new Joined(settings.to().text()), TrackerChoice.AUTO, settings.options(),
                After.THAW, false, settings.stateDirectory(), 0, ""), new Both(listener, true));
        this.target = new TargetAgent(new ReceiveSettings(
                settings.to().guardedBy((side, log) -> new OneProcessGuard()),
                Listener.own(this::accept), true, false, TargetOptions.defaults(),
                settings.stateDirectory(), 0, null, null), new Both(listener, false),
                address -> { }, result -> { });
    }

    private Optional<TargetLink> accept() {
        opened = true;
        ready.countDown();
        return port.accept();
    }

    /** The way to a target that may still be opening what it fills. */
    private final class Joined implements Connector, Connector.Access {
        private final String peer;

        Joined(String peer) {
            this.peer = peer;
        }

        @Override
        public String peer() {
            return peer;
        }

        @Override
        public String transport() {
            return "memory";
        }

        @Override
        public Connector.Access open() {
            return this;
        }

        @Override
        public SourceLink connect() throws TransportException {
            await();
            return port.connect().filter(link -> opened).orElseThrow(() -> new TransportException(
                    ErrorCode.LINK_LOST, peer + " cannot be filled", null));
        }

        @Override
        public Optional<SourceLink> beginOpen() {
            return port.beginOpen();
        }

        @Override
        public void close() {
            // Each link is closed by its user.
        }
    }

    /**
     * Copies, on the calling thread and one of its own.
     *
     * @return how it ended, as the source sees it
     * @throws IllegalArgumentException when one of the disks makes no sense
     */
    public AgentResult run() {
        Thread taking = Thread.ofPlatform().daemon().name("pageferry-convert").start(this::take);
        AgentResult sent = null;
        try {
            sent = source.run();
        } finally {
            end(taking, isCopied(sent));
        }
        requireNotBroken();
        if (!opened) {
            // Said first, whatever the source says: nothing would be copied.
            return new AgentResult(taken.outcome(),
                    Report.ofNothing(Side.SOURCE, taken.outcome()));
        }
        return isCopied(sent) || taken == null ? sent : withLeft(sent, taken.outcome());
    }

    private static boolean isCopied(AgentResult sent) {
        return sent != null && sent.outcome().result() == Result.COMPLETED;
    }

    /** What is left of a copy that came to nothing the target alone knows. */
    private static AgentResult withLeft(AgentResult sent, Outcome target) {
        String own = sent.outcome().remedy();
        String told = target.remedy();
        Outcome outcome = sent.outcome().withRemedy(own.isEmpty() || told.startsWith(own) ? told
                : told.isEmpty() ? own : own + "; " + told);
        return new AgentResult(outcome, new Report(Side.SOURCE, outcome, sent.report().body()));
    }

    /** Requests a cancel; from any thread. */
    public void cancel() {
        source.cancel();
    }

    private void take() {
        try {
            taken = target.run();
        } catch (RuntimeException | Error e) {
            broken = e;
        } finally {
            ready.countDown();
        }
    }

    private void await() {
        try {
            ready.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private void requireNotBroken() {
        switch (broken) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case null, default -> { }
        }
    }

    /** What arrived is let end by itself; of anything else nothing more is to come. */
    private void end(Thread taking, boolean copied) {
        if (!copied || !Threads.join(taking, LAST_WORD)) {
            target.cancel();
            Threads.join(taking);
        }
    }
}
