package io.pageferry.agent.embed;

import io.pageferry.agent.link.Listener;
import io.pageferry.agent.link.PeerTrust;
import io.pageferry.agent.session.GuestFactory;
import io.pageferry.agent.session.ReceiveSettings;
import io.pageferry.agent.session.TargetAgent;
import io.pageferry.core.incoming.session.TargetOptions;
import io.pageferry.core.link.LinkAcceptor;
import io.pageferry.core.migration.IncomingGuest;
import io.pageferry.core.migration.Outcome.Result;
import java.net.SocketAddress;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Receives one guest into an {@link IncomingGuest} of the embedder's own, from
 * {@link OutgoingMigration} or {@code pageferry migrate}.
 *
 * <p><b>Ownership.</b> The {@link IncomingGuest} stays the embedder's and is never closed here.
 * After {@link Result#COMPLETED} it runs; after anything else {@link IncomingGuest#discard} was
 * called where {@link IncomingGuest#prepare} succeeded, and the object is used up.
 *
 * <p><b>Threads.</b> {@link #run} does all its work on the calling thread, and every method of the
 * guest and of the listener is called by that thread alone. {@link #cancel} may be called by any
 * thread, at any time.
 *
 * <p><b>Crashes.</b> A guest in the embedder's process dies with it, so no guard process is
 * started. Its journal in the state directory outlives it: the next {@code IncomingMigration} or
 * {@code pageferry receive} on that directory answers a source that still asks what became of its
 * grant, also while it waits for another guest.
 *
 * <p><b>Security.</b> Without {@link Builder#tls} any peer that reaches the port can offer a guest,
 * and the offered guest is run; of those on this host only the same user and root. So only loopback
 * addresses are listened on unless {@link Builder#insecure}; the warning of
 * {@link OutgoingMigration} holds here too. {@link IncomingGuest#prepare} must look at all that it
 * is offered, and compare it with what it expects, before it makes room.
 */
public final class IncomingMigration {
    private final TargetAgent agent;
    private final AtomicBoolean begun = new AtomicBoolean();
    private volatile long started;

    private IncomingMigration(Builder parts) {
        EmbeddedTarget target = new EmbeddedTarget(parts.guest, parts.identity);
        TargetOptions defaults = TargetOptions.defaults();
        this.agent = new TargetAgent(new ReceiveSettings(
                new GuestFactory<>(Embedded.text(parts.identity), setup -> target.opened(),
                        Embedded.warmUp(parts.warmedUp, parts.listener),
                        () -> System.nanoTime() - started),
                parts.acceptor, true, false,
                new TargetOptions(defaults.window(), defaults.grantNanos(), parts.settleNanos,
                        parts.channels, parts.reconnectNanos),
                parts.stateDirectory, 0, null, null), parts.listener,
                parts.listening, last -> { });
    }

    /**
     * Begins to describe what is to be received.
     *
     * @param guest  that is to become the guest; stays the caller's
     * @param listen where: of TCP, port 0 lets the host choose, see {@link Builder#listening}; or
     *               a {@link java.net.UnixDomainSocketAddress}, whose file is there meanwhile
     * @return a builder with the defaults of the command line
     */
    public static Builder into(IncomingGuest guest, SocketAddress listen) {
        return new Builder(guest, null, Objects.requireNonNull(listen, "listen"));
    }

    /**
     * Begins to describe what is to be received over a transport of the embedder's own.
     *
     * @param guest    that is to become the guest; stays the caller's
     * @param acceptor gives links of sources, on the thread of {@link #run}; stays the caller's.
     *                 Access to it is the embedder's affair
     * @return a builder with the defaults of the command line
     */
    public static Builder into(IncomingGuest guest, LinkAcceptor acceptor) {
        return new Builder(guest, Listener.own(Objects.requireNonNull(acceptor, "acceptor")), null);
    }

    /**
     * Listens on the calling thread until one migration came that got past negotiation, and
     * returns when that has ended and the source knows its last word, or the settle window is
     * over: the guest has been running for that long then. Port checks, strangers and offers that
     * {@link IncomingGuest#prepare} refused do not count; the listener is notified, the same guest
     * is offered the next one. Interrupting the thread is no cancellation: use {@link #cancel}.
     *
     * <p>{@link Result#COMPLETED}: it runs here. {@link Result#FAILED}: it came to nothing, the
     * source keeps its guest. {@link Result#FAILED_AT_TARGET}: it was granted and then lost; this
     * side owned it. {@link Result#CANCELLED}, {@link Result#REFUSED}: nothing came (the address
     * is taken, the state directory cannot be used, another agent has its identity).
     * {@link Result#BUG}: a method of the guest threw what it does not declare, before the grant.
     *
     * @return the result and all that was measured
     * @throws IllegalStateException when it was called before
     */
    public MigrationReport run() {
        if (!begun.compareAndSet(false, true)) {
            throw new IllegalStateException("a migration runs once: build another one");
        }
        started = System.nanoTime();
        return MigrationReport.of(agent.run());
    }

    /**
     * Cancels the migration. Any thread, any time, also before {@link #run}; returns at once.
     * Before the guest is granted nothing is left of it here within 2 s; afterwards it is too late.
     */
    public void cancel() {
        agent.cancel();
    }

    /** Describes what is to be received. One thread; each method returns the builder itself. */
    public static final class Builder extends MigrationBuilder<Builder> {
        private final IncomingGuest guest;
        /** Made when it is built, where it is an address. */
        private Listener acceptor;
        private final TargetOptions defaults = TargetOptions.defaults();
        private Consumer<SocketAddress> listening = address -> { };

        private Builder(IncomingGuest guest, Listener acceptor, SocketAddress listen) {
            super(guest, listen);
            this.guest = guest;
            this.acceptor = acceptor;
            channels = defaults.channels();
            settleNanos = defaults.lastWordNanos();
            reconnectNanos = defaults.reconnectNanos();
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets what is called, once and on the thread of {@link IncomingMigration#run}, when
         * connections are accepted; it is not called where the transport is the embedder's own.
         *
         * @param told gets the address, of TCP with the real port
         * @return this
         */
        public Builder listening(Consumer<SocketAddress> told) {
            listening = Objects.requireNonNull(told, "told");
            return this;
        }

        /**
         * Makes the migration; nothing is opened yet.
         *
         * @return it, to be run once
         * @throws IllegalArgumentException when the address is unresolved; or is not on loopback,
         *                                  and neither {@link #tls} nor {@link #insecure}; or
         *                                  a file of TLS, or a unix socket, cannot be used
         */
        public IncomingMigration build() {
            PeerTrust trust = trust();
            if (address != null) {
                acceptor = Listener.at(address, trust, Optional.empty());
            }
            return new IncomingMigration(this);
        }
    }
}
