package io.pageferry.agent.embed;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.link.EmbeddedConnector;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.agent.link.SocketConnector;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.GuestFactory;
import io.pageferry.agent.session.MigrateSettings;
import io.pageferry.agent.session.SourceSession;
import io.pageferry.agent.state.settle.Settler;
import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.dirty.MemoryMap;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.SlotName;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Verification;
import io.pageferry.core.outgoing.session.SourceOptions;
import io.pageferry.core.round.MigrationLimits;
import java.io.IOException;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Moves a guest of the embedder's own to a target: {@link IncomingMigration} in another process,
 * or {@code pageferry receive}.
 *
 * <p><b>Ownership.</b> The {@link Guest} stays the embedder's: it is never closed here, and after
 * {@link #run} it may be closed, or moved by another {@code OutgoingMigration} where it still is
 * here. Everything else (connections, journal, locks, buffers) is opened and closed by
 * {@link #run}.
 *
 * <p><b>Threads.</b> {@link #run} does all its work on the calling thread, and every method of the
 * guest and of the listener is called by that thread alone; Netty's own threads carry bytes and
 * call nothing of the embedder's. {@link #cancel} and
 * {@link #limits} may be called by any thread, at any time.
 *
 * <p><b>Crashes.</b> A guest that lives in the embedder's process dies with it, so no guard
 * process is started. What was decided is in a journal in the state directory: when the process
 * dies after the grant, {@code pageferry settle} on that directory still finds its owner.
 *
 * <p><b>The JVM</b> needs no option. With {@code
 * --enable-native-access=org.lz4.java,com.github.luben.zstd_jni} ({@code ALL-UNNAMED} on the class
 * path) LZ4 is several times as fast, and there is zstd; without, the listener gets one line on
 * that.
 *
 * <p><b>Security.</b> Without {@link Builder#tls} nothing is encrypted and no peer is known: any
 * host that reaches the connection reads the guest's memory and can replace it. So only loopback
 * addresses are accepted then, unless {@link Builder#insecure} states that the whole network
 * between both hosts is trusted; never on one that a guest, a tenant or a stranger is on.
 */
public final class OutgoingMigration {
    private final Builder parts;
    private final UUID id = UUID.randomUUID();
    private final SourceSession agent;
    private final AtomicBoolean begun = new AtomicBoolean();
    private volatile long started;
    private volatile boolean doubt;

    private OutgoingMigration(Builder parts, SourceOptions options) {
        this.parts = parts;
        this.agent = new SourceSession(id, new MigrateSettings(
                new GuestFactory<>(Embedded.text(parts.identity),
                        setup -> new EmbeddedSource(parts.guest, parts.identity),
                        Embedded.warmUp(parts.warmedUp, parts.listener),
                        () -> System.nanoTime() - started),
                parts.connector, TrackerChoice.AUTO, options,
                parts.endGuest ? After.QUIT : After.KEEP, false,
                parts.stateDirectory, 0, parts.slot), parts.listener);
    }

    /**
     * Begins to describe a migration.
     *
     * @param guest  to move; stays the caller's
     * @param target where {@link IncomingMigration} or {@code pageferry receive} listens: of TCP,
     *               or a {@link java.net.UnixDomainSocketAddress}
     * @return a builder with the defaults of the command line
     */
    public static Builder of(Guest guest, SocketAddress target) {
        return new Builder(guest, null, Objects.requireNonNull(target, "target"));
    }

    /**
     * Begins to describe a migration over a transport of the embedder's own.
     *
     * @param guest  to move; stays the caller's
     * @param opener gives the first link by {@link LinkOpener#beginOpen}, and others where one is
     *               lost, on the thread of {@link #run} or {@link #settle}; stays the caller's.
     *               Access to its other end is the embedder's affair
     * @param peer   where it leads, for journals and messages; one line
     * @return a builder with the defaults of the command line
     */
    public static Builder of(Guest guest, LinkOpener opener, String peer) {
        return new Builder(guest, new EmbeddedConnector(peer, opener), null);
    }

    /** {@return the name of this migration, in journals, reports and logs of both sides} */
    public UUID id() {
        return id;
    }

    /**
     * Moves the guest, on the calling thread, and returns when its owner is clear. It waits for the
     * network and for the guest; the limits bound how long. Interrupting the thread is no
     * cancellation: use {@link #cancel}.
     *
     * <p>What became of the guest is in {@link MigrationReport#outcome}:
     * {@link Result#COMPLETED}: it runs at the target, and {@link Guest#end} was called here
     * unless {@link Builder#keepPaused}. {@link Result#REFUSED}: nothing was changed.
     * {@link Result#FAILED}, {@link Result#CANCELLED}: it is here and runs, if it did before.
     * {@link Result#IN_DOUBT}: it is paused here and must stay so, see {@link #settle}.
     * {@link Result#GUEST_ENDED}: it ended by itself. {@link Result#BUG}: a method of the guest,
     * or something here, threw what it must not; the guest is here and runs.
     *
     * @return the result and all that was measured
     * @throws IllegalStateException when it was called before
     * @throws RuntimeException      what a method of the guest threw after the grant, when nothing
     *                               may be done any more: to be settled like
     *                               {@link Result#IN_DOUBT}
     */
    public MigrationReport run() {
        if (!begun.compareAndSet(false, true)) {
            throw new IllegalStateException("a migration runs once: build another one");
        }
        started = System.nanoTime();
        doubt = true;
        AgentResult result = agent.run();
        doubt = result.outcome().result() == Result.IN_DOUBT;
        return MigrationReport.of(result);
    }

    /**
     * Cancels the migration. Any thread, any time, also before {@link #run}; returns at once.
     * Before the grant the guest stays here and runs on, {@link Result#CANCELLED}. After it, it is
     * too late: the listener is notified, and the migration ends as it would have.
     */
    public void cancel() {
        agent.cancel();
    }

    /**
     * Changes the limits while the guest moves, or before {@link #run}. Any thread; returns at
     * once. They hold from the next decision on; what was changed stands in the report.
     *
     * @param bounds that are to hold; the policy stays
     * @throws IllegalArgumentException when they make no sense, or another policy, or want a
     *                                  throttle that the guest has not
     */
    public void limits(MigrationLimits bounds) {
        agent.limits(Objects.requireNonNull(bounds, "bounds"));
    }

    /**
     * Shows where the guest's memory is on its way, at most 4096 cells of it; made only while
     * somebody asks. Any thread.
     *
     * @return the map that was made last; empty where none was, also before {@link #run}
     */
    public Optional<MemoryMap> map() {
        return agent.map();
    }

    /**
     * Asks the target once more what became of the guest, after {@link #run} left it in doubt, and
     * does what follows from its word: {@link Guest#end} or {@link Guest#resume}. On the calling
     * thread; may be repeated.
     *
     * @param window longest wait for an answer
     * @return {@link Result#COMPLETED}, {@link Result#FAILED} (it runs here), or
     *         {@link Result#IN_DOUBT} when no answer came; with one line of why
     * @throws IOException           when the journal cannot be used, or the guest could not do it
     * @throws IllegalStateException when there is nothing to settle
     */
    public Settled settle(Duration window) throws IOException {
        return settled(settler(window).ask());
    }

    /**
     * Takes the guest back after {@link #run} left it in doubt, and resumes it: an operator's (or
     * a fencing device's) word that the target is off or cut off <em>for ever</em>. Wrong when the
     * target can still run it: two of it would run.
     *
     * @return {@link Result#FAILED} (it runs here), or {@link Result#COMPLETED} where the journal
     *         knew already that the target owns it
     * @throws IOException           as {@link #settle}
     * @throws IllegalStateException when there is nothing to settle
     */
    public Settled targetIsFenced() throws IOException {
        return settled(settler(Duration.ZERO).fenced());
    }

    /**
     * Gives the guest up after {@link #run} left it in doubt: an operator saw it run at the target.
     *
     * @return {@link Result#COMPLETED}, or {@link Result#FAILED} (it runs here) where the journal
     *         knew already that it is ours
     * @throws IOException           as {@link #settle}
     * @throws IllegalStateException when there is nothing to settle
     */
    public Settled targetRunsIt() throws IOException {
        return settled(settler(Duration.ZERO).givenUp());
    }

    /**
     * What came of settling.
     *
     * @param result how the migration stands
     * @param reason one line
     */
    public record Settled(Result result, String reason) { }

    private Settler settler(Duration window) throws IOException {
        if (!doubt) {
            throw new IllegalStateException("only a migration in doubt is settled");
        }
        return new Settler(parts.stateDirectory, id, window.toNanos(), peer -> parts.connector);
    }

    /** The journal names the owner of the guest; the acts on it are done here, where it lives. */
    private Settled settled(Settler.Verdict verdict) throws IOException {
        if (verdict.owner() == Owner.TARGET && parts.endGuest) {
            parts.guest.end();
        } else if (verdict.owner() == Owner.SOURCE
                && Embedded.ranBefore(parts.stateDirectory, id)) {
            parts.guest.resume();
        }
        doubt = verdict.result() == Result.IN_DOUBT;
        return new Settled(verdict.result(), verdict.message());
    }

    /** Describes a migration. One thread; each method returns the builder itself. */
    public static final class Builder extends MigrationBuilder<Builder> {
        private final Guest guest;
        /** Made when it is built, where it is an address. */
        private Connector connector;
        private final SourceOptions defaults = SourceOptions.defaults();
        private MigrationLimits limits = defaults.limits();
        private CodecChoice codec = defaults.codec();
        private long deltaCacheBytes = defaults.deltaCacheBytes();
        private Verification verification = Verification.SENT;
        private boolean audit;
        private boolean cold;
        private boolean endGuest = true;
        private String slot = "";

        private Builder(Guest guest, Connector connector, SocketAddress target) {
            super(guest, target);
            this.guest = guest;
            this.connector = connector;
            channels = defaults.channels();
            settleNanos = defaults.settleNanos();
            reconnectNanos = defaults.reconnectNanos();
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets when to stop the rounds, and bounds time, bandwidth and throttle.
         *
         * @param bounds default {@link MigrationLimits#defaults}
         * @return this
         */
        public Builder limits(MigrationLimits bounds) {
            limits = Objects.requireNonNull(bounds, "bounds");
            return this;
        }

        /**
         * Names the place that is to take the guest, of a target that has several: an agent's slot.
         *
         * @param name of the slot; default whichever is free
         * @return this
         * @throws IllegalArgumentException when it can be no name
         */
        public Builder slot(String name) {
            slot = SlotName.require(name);
            return this;
        }

        /**
         * Sets how pages are written.
         *
         * @param choice default {@link CodecChoice#ADAPTIVE}
         * @return this
         */
        public Builder codec(CodecChoice choice) {
            codec = Objects.requireNonNull(choice, "choice");
            return this;
        }

        /**
         * Bounds the memory for what was sent of pages that come again: only what changed of them
         * is sent then. Off-heap, taken as it is needed.
         *
         * @param bytes 0 for none; default 512 MiB
         * @return this
         * @throws IllegalArgumentException below 0
         */
        public Builder deltaCache(long bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException("a delta cache of " + bytes + " bytes");
            }
            deltaCacheBytes = bytes;
            return this;
        }

        /**
         * Sets how the image is proved before the target may run it.
         *
         * @param how default {@link Verification#SENT}
         * @return this
         */
        public Builder verification(Verification how) {
            verification = Objects.requireNonNull(how, "how");
            return this;
        }

        /**
         * Sets whether the paused guest's memory is compared with the image once more after the
         * handover: at no downtime, but the guest here is kept meanwhile. Where pages differ, the
         * move ends with {@code FAILED_AT_TARGET} and the code {@code AUDIT}.
         *
         * @param compared default false
         * @return this
         */
        public Builder audit(boolean compared) {
            audit = compared;
            return this;
        }

        /**
         * Pauses the guest first and copies then: no rounds. A lost link is not tried again then.
         *
         * @return this
         */
        public Builder cold() {
            cold = true;
            return this;
        }

        /**
         * Leaves the guest paused here after it moved, instead of calling {@link Guest#end}. It
         * must never run again: another host owns it.
         *
         * @return this
         */
        public Builder keepPaused() {
            endGuest = false;
            return this;
        }

        /**
         * Makes the migration; nothing is opened yet.
         *
         * @return it, to be run once
         * @throws IllegalArgumentException when the target is unresolved; or is not on loopback,
         *                                  and neither {@link #tls} nor {@link #insecure}; or
         *                                  a file of TLS, or a unix socket, cannot be used
         */
        public OutgoingMigration build() {
            PeerTrust trust = trust();
            if (address != null) {
                connector = new SocketConnector(address, trust, Optional.empty());
            }
            SourceOptions options = defaults.withLimits(limits).withPages(codec, channels)
                    .withDeltaCache(deltaCacheBytes)
                    .withVerification(verification).withAudit(audit).withEndGuest(endGuest)
                    .withWindows(reconnectNanos, settleNanos).withWording(new MethodWording());
            return new OutgoingMigration(this, cold ? options.paused() : options);
        }
    }
}
