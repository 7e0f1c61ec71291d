package io.pageferry.agent.session;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.room.HostRoom;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.agent.session.inbox.SlotInbox;
import io.pageferry.agent.session.inbox.SlotInbox.Reply;
import io.pageferry.agent.session.inbox.SlotState;
import io.pageferry.agent.session.warmup.BackgroundWarmUp;
import io.pageferry.agent.state.journal.Guard;
import io.pageferry.agent.state.journal.GuestLock;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.MigrationJournal;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.agrona.CloseHelper;

/** A place for one guest at this host: what is to become it, its lock and its guard. */
final class TargetSlot implements SlotInbox.Keeper {
    private final SlotInbox inbox;
    private final ReceiveSettings settings;
    private final MigrationListener listener;
    private final StateDirectory directory;
    private final Guard guard;
    private final RoomClaim room = HostRoom.ofProcess().claim();
    private BackgroundWarmUp warmUp;
    private TargetGuest guest;
    private GuestLock lock;
    private TargetSession session;
    private final BooleanSupplier unwanted;

    /**
     * Makes a slot; nothing is opened yet.
     *
     * @param inbox     where offers and questions come in
     * @param settings  what to take in, and how
     * @param directory of journals and locks
     * @param listener  receives events
     * @param unwanted  returns whether no guest is wanted any more, for what it waits for
     */
    TargetSlot(SlotInbox inbox, ReceiveSettings settings, StateDirectory directory,
            MigrationListener listener, BooleanSupplier unwanted) {
        this.inbox = inbox;
        this.unwanted = unwanted;
        this.settings = settings;
        this.directory = directory;
        this.listener = listener;
        this.guard = settings.guest().guard().apply(Side.TARGET, listener);
    }

    /** Opens the guest and locks it; a guard gets ready meanwhile, and this process warms up. */
    void open() throws IOException {
        warmUp = BackgroundWarmUp.start(settings.guest().warmUp().get());
        openGuest();
        lockGuest();
        prepareGuard();
        inbox.open(identities());
    }

    private void lockGuest() throws IOException {
        lock = GuestLock.tryLock(identities()).orElseThrow(() -> new GuestException(
                ErrorCode.BUSY, "somebody receives into this guest already, or moves it away",
                "wait for it: pageferry status"));
    }

    private List<String> identities() {
        return GuestLock.identities(guest.identity(), guest.recoveryAddress());
    }

    private void openGuest() throws GuestException {
        Path start = settings.start();
        guest = settings.guest().open(new GuestSetup(TrackerChoice.AUTO, settings.prealloc(), guard,
                After.KEEP, start == null ? null : new GuestSetup.Start(start, guard, unwanted),
                GuestSetup.PAUSE_LIMIT, null, room));
        room.release(); // what --prealloc asked for is in use by now
        if (start != null) {
            listener.on(MigrationEvent.info("started what " + start + " says, as "
                    + settings.guest().text()));
        }
    }

    private void prepareGuard() {
        if (outlivesAgent()) {
            guard.prepare();
        }
    }

    private boolean outlivesAgent() {
        return !guest.recoveryAddress().isEmpty();
    }

    /** Does what was handed over for it; returns how much that was. */
    int deliver() {
        return inbox.deliver(this);
    }

    @Override
    public LinkHandler offered(TargetLink link, Message.Hello hello) {
        session = new TargetSession(this, link, hello.migrationId());
        session.handler().onMessage(hello);
        return session.handler();
    }

    @Override
    public Reply resumed(TargetLink link, Message.Resume asked) {
        Optional<TargetSession> own = session(asked.migrationId());
        Optional<Message> refusal = own.flatMap(one -> one.resume(link, asked));
        return own.isEmpty() ? Reply.UNKNOWN : refusal.map(Reply::of)
                .orElseGet(() -> Reply.taken(own.get().handler()));
    }

    @Override
    public Reply status(Message.Status asked) {
        return session(asked.migrationId()).flatMap(own -> own.answer(asked)).map(Reply::of)
                .orElse(Reply.UNKNOWN);
    }

    @Override
    public void farewell(UUID migration) {
        session(migration).ifPresent(TargetSession::onFarewell);
    }

    private Optional<TargetSession> session(UUID migration) {
        return session().filter(own -> own.id().equals(migration));
    }

    /** Gets ready for the next offer, after one that came to nothing. */
    void renew() throws IOException {
        String before = guest.identity();
        guest.close();
        session = null;
        openGuest();
        if (!guest.identity().equals(before)) {
            // A QEMU that was started is another one each time.
            lock.close();
            lockGuest();
        }
        prepareGuard();
        inbox.open(identities());
    }

    /** Gets ready for the next offer, after one that left everything as it was. */
    void forget() {
        session = null;
        inbox.vacate();
    }

    /** Looks after what was started, while no offer is here. */
    void keepStarted() throws IOException {
        if (settings.start() == null || inbox.state() == SlotState.FULL) {
            return;
        }
        if (guard.isLost()) {
            // Without one it would outlive this process: better none at all.
            guard.start();
            listener.on(MigrationEvent.warn("the guard process ended; another one was started"));
        }
        Optional<String> ended = guest.ended();
        if (ended.isPresent()) {
            throw new GuestException(ErrorCode.GUEST_ENDED, ended.get()
                    + ", which was started from " + settings.start(),
                    "look why (its log, dmesg), and receive again");
        }
    }

    /** Takes no offer any more: a guest is here. */
    void fill() {
        session = null;
        inbox.fill();
    }

    /** Returns whether it can take an offer. */
    boolean isFree() {
        return inbox.state() == SlotState.WAITING;
    }

    SlotInbox inbox() {
        return inbox;
    }

    Optional<TargetSession> session() {
        return Optional.ofNullable(session);
    }

    /** Returns whether this process has run before what runs in the pause. */
    boolean isWarm() {
        return warmUp.isOver();
    }

    TargetGuest guest() {
        return guest;
    }

    RoomClaim room() {
        return room;
    }

    ReceiveSettings settings() {
        return settings;
    }

    MigrationListener listener() {
        return listener;
    }

    Guard guard() {
        return guard;
    }

    /** Has the guard watch over a migration, where the guest outlives this process. */
    void watch(UUID migration) throws IOException {
        if (outlivesAgent()) {
            guard.watch(directory, migration);
        }
    }

    /** Makes the journal of a migration into this slot. */
    MigrationJournal journal(UUID migration) throws IOException {
        return guard.journal(directory, header(migration));
    }

    private JournalHeader header(UUID migration) {
        Map<String, String> recoveryAddress = new HashMap<>(guest.recoveryAddress());
        if (!recoveryAddress.isEmpty()) {
            recoveryAddress.put(JournalHeader.IDENTITY, guest.identity());
        }
        return new JournalHeader(JournalHeader.SCHEMA, migration, Side.TARGET,
                settings.guest().text(), "", System.currentTimeMillis(), recoveryAddress);
    }

    /** Closes everything; where the agent broke its guard does the rest, which needs the locks. */
    void close(boolean broken) {
        inbox.close();
        room.release();
        CloseHelper.closeAll(warmUp, session == null ? null : session::onClose, guest,
                broken ? null : guard, lock, broken ? guard::abandon : null);
    }
}
