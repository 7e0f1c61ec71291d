package io.pageferry.agent.session;

import io.pageferry.agent.host.process.Threads;
import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.FiniteAgent;
import io.pageferry.agent.link.Listener;
import io.pageferry.agent.link.Refusals;
import io.pageferry.agent.session.inbox.SlotInbox;
import io.pageferry.agent.session.inbox.TargetListener;
import io.pageferry.agent.session.warmup.JvmFlags;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.link.SlotName;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.agrona.CloseHelper;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Takes guests in: any number of named slots behind one listener. The listener has a thread of its
 * own, which finds out what each connection is for and gives it away; each slot has another one, so
 * that a slot which loads a guest for seconds holds up nobody. Any thread.
 */
public final class TargetHost implements AutoCloseable {
    /** While connections are here: so long one waits at most until it is looked at. */
    private static final long MAX_PARK_NANOS = 1_000_000L;

    /** While none is: who comes ends the wait, and what was refused is logged so late. */
    private static final long IDLE_NANOS = 1_000_000_000L;

    private final StateDirectory directory;
    private final Listening listening;
    private final SocketAddress address;
    private final Thread thread;
    /** Guarded by itself, with what is changed in the inboxes. */
    private final List<TargetSlotHandle> slots = new ArrayList<>();
    private final List<SlotInbox> inboxes = new CopyOnWriteArrayList<>();
    private boolean closed;

    private TargetHost(Listener.Open acceptor, SocketAddress address, Refusals refusals,
            StateDirectory directory, MigrationListener log) {
        this.directory = directory;
        this.address = address;
        this.listening = new Listening(acceptor, new TargetListener(acceptor, directory,
                line -> log.on(MigrationEvent.warn(line)), () -> inboxes), refusals, log);
        this.thread = Thread.ofPlatform().name("target listener").start(listening::run);
    }

    /**
     * Begins to listen, with no slot yet.
     *
     * @param listen         where sources come in; it has an address
     * @param stateDirectory folder of journals, or null for the user's
     * @param log            gets what concerns no slot; called by the listener's thread
     * @return the host, to be closed
     * @throws IOException when the address or the folder cannot be used
     */
    public static TargetHost open(Listener listen, Path stateDirectory, MigrationListener log)
            throws IOException {
        StateDirectory directory = StateDirectory.open(stateDirectory);
        JvmFlags.checkLz4(log);
        Refusals refusals = new Refusals();
        Listener.Open acceptor = listen.open(refusals::add);
        SocketAddress address = acceptor.address().orElse(null);
        if (address == null) {
            acceptor.close();
            throw new IllegalArgumentException("the listener has no address");
        }
        return new TargetHost(acceptor, address, refusals, directory, log);
    }

    /** {@return where it listens, with the real port} */
    public SocketAddress address() {
        return address;
    }

    /**
     * Adds a slot, and opens what it needs, which may take seconds.
     *
     * @param name     1 … 64 of a-z, 0-9, '.', '_' and '-'; no other open slot's
     * @param settings what it takes in; listener, state directory, {@code once} and linger are not
     *                 looked at
     * @param listener receives its events, on the slot's thread
     * @param finished gets the result of each migration that got past negotiation, and why the slot
     *                 ended where nobody asked it to; on the slot's thread
     * @return the slot, which waits for a guest
     * @throws IOException              when the guest or its lock cannot be had
     * @throws IllegalArgumentException when the name is none or taken, or the guest's URI makes
     *                                  no sense
     */
    public TargetSlotHandle add(String name, ReceiveSettings settings, MigrationListener listener,
            Consumer<AgentResult> finished) throws IOException {
        SlotInbox inbox = new SlotInbox(SlotName.require(name));
        TargetSlotHandle slot = new TargetSlotHandle(inbox, settings, directory, listener,
                finished);
        synchronized (slots) {
            forget();
            if (closed) {
                throw new IllegalStateException("the target is closed");
            }
            if (slots.stream().anyMatch(one -> one.name().equals(name))) {
                throw new IllegalArgumentException("there is a slot " + name + " already");
            }
            slots.add(slot);
            inboxes.add(inbox);
        }
        slot.open();
        return slot;
    }

    /** Forgets the slots that ended. */
    private void forget() {
        slots.removeIf(TargetSlotHandle::isOver);
        inboxes.retainAll(slots.stream().map(TargetSlotHandle::inbox).toList());
    }

    /** Closes every slot, see {@link TargetSlotHandle#close}, and then the listener. Idempotent. */
    @Override
    public void close() {
        List<TargetSlotHandle> all;
        synchronized (slots) {
            closed = true;
            all = List.copyOf(slots);
        }
        all.forEach(TargetSlotHandle::end);
        all.forEach(TargetSlotHandle::close);
        listening.end();
        Threads.join(thread);
    }

    /** What the listener's thread does. */
    private static final class Listening implements FiniteAgent {
        private final Listener.Open acceptor;
        private final TargetListener connections;
        private final Refusals refusals;
        private final MigrationListener log;
        private final IdleStrategy busy = AgentLoop.idleStrategy(MAX_PARK_NANOS);
        private final boolean isTold;
        /** Something came, or it is over, since the last look. */
        private final AtomicBoolean woken = new AtomicBoolean();
        private volatile Thread thread;
        private volatile boolean over;

        Listening(Listener.Open acceptor, TargetListener connections, Refusals refusals,
                MigrationListener log) {
            this.acceptor = acceptor;
            this.connections = connections;
            this.refusals = refusals;
            this.log = log;
            this.isTold = acceptor.onArrival(this::wake);
        }

        private void wake() {
            woken.set(true);
            LockSupport.unpark(thread);
        }

        void end() {
            over = true;
            wake();
        }

        private void rest(int work) {
            if (work > 0 || !isTold || !connections.isIdle()) {
                busy.idle(work);
            } else if (!woken.get()) {
                LockSupport.parkNanos(this, IDLE_NANOS);
            }
        }

        void run() {
            thread = Thread.currentThread();
            try {
                AgentLoop.runResting(this, this::rest);
            } catch (RuntimeException | Error e) {
                log.on(MigrationEvent.warn("nobody is let in any more, start this target again: "
                        + e));
            }
        }

        @Override
        public String roleName() {
            return connections.roleName();
        }

        @Override
        public int doWork() {
            woken.set(false);
            log(refusals.poll(SystemNanoClock.INSTANCE.nanoTime()));
            acceptor.notice().ifPresent(line -> log.on(MigrationEvent.warn(line)));
            return connections.doWork();
        }

        private void log(Optional<String> refused) {
            refused.ifPresent(line -> log.on(MigrationEvent.info(line)));
        }

        @Override
        public boolean isDone() {
            return over;
        }

        @Override
        public void onClose() {
            log(refusals.take(SystemNanoClock.INSTANCE.nanoTime()));
            CloseHelper.closeAll(acceptor, connections::onClose);
        }
    }
}
