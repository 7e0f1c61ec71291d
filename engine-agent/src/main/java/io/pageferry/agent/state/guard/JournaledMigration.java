package io.pageferry.agent.state.guard;

import io.pageferry.agent.guest.After;
import io.pageferry.agent.guest.GuestKind;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.link.AgentLoop;
import io.pageferry.agent.link.Connector;
import io.pageferry.agent.link.FiniteAgent;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.GuestLock;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.handover.AbandonedMigration;
import io.pageferry.core.handover.Owner;
import io.pageferry.core.handover.Recovery;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;

/** A migration whose agent is gone, in a state directory and on this host. */
public final class JournaledMigration implements AbandonedMigration {
    private final StateDirectory directory;
    private final UUID id;
    private final Side side;
    private final Connector connector;
    private final Predicate<String> lent;
    private FileJournal journal;
    private GuestLock guestLock;
    private Connector.Access access;

    /**
     * Names the migration; nothing is opened.
     *
     * @param directory of its journal
     * @param id        its name
     * @param side      whose journal
     * @param connector reaches the target, or null where it is not asked
     * @param lent      returns for a guest's identity whether this process has its lock already and
     *                  lends it
     */
    public JournaledMigration(StateDirectory directory, UUID id, Side side, Connector connector,
            Predicate<String> lent) {
        this.directory = directory;
        this.id = id;
        this.side = side;
        this.connector = connector;
        this.lent = lent;
    }

    /**
     * Steps a recovery on the calling thread until it is over.
     *
     * @param recovery stays the caller's
     * @throws IOException as {@link Recovery#doWork}
     */
    public static void run(Recovery recovery) throws IOException {
        RecoveryAgent agent = new RecoveryAgent(recovery);
        AgentLoop.run(agent);
        if (agent.failure != null) {
            throw agent.failure;
        }
    }

    private static final class RecoveryAgent implements FiniteAgent {
        private final Recovery recovery;
        private IOException failure;

        RecoveryAgent(Recovery recovery) {
            this.recovery = recovery;
        }

        @Override
        public int doWork() {
            try {
                return recovery.doWork();
            } catch (IOException e) {
                failure = e;
                return 1;
            }
        }

        @Override
        public boolean isDone() {
            return failure != null || recovery.isDone();
        }

        @Override
        public String roleName() {
            return "recovery";
        }
    }

    @Override
    public UUID id() {
        return id;
    }

    @Override
    public Side side() {
        return side;
    }

    @Override
    public Optional<FileJournal> lockJournal() throws IOException {
        journal = directory.takeOver(id, side).orElse(null);
        return Optional.ofNullable(journal);
    }

    @Override
    public boolean lockGuest() throws IOException {
        Map<String, String> recoveryAddress = journal.header().recoveryAddress();
        List<String> missing = GuestLock.identities(recoveryAddress.get(JournalHeader.IDENTITY),
                recoveryAddress).stream().filter(lent.negate()).toList();
        if (missing.isEmpty()) {
            return true;
        }
        guestLock = GuestLock.tryLock(missing).orElse(null);
        return guestLock != null;
    }

    /**
     * Finds a later migration of the same guest, or into its place, that decides more about it than
     * ours: one is under way, or gave it away, or took another guest in.
     */
    private Optional<FileJournal> newer() throws GuestException {
        JournalHeader ours = journal.header();
        String identity = ours.recoveryAddress().get(JournalHeader.IDENTITY);
        try {
            return directory.all(line -> { }).stream()
                    .filter(other -> other.header().createdMillis() > ours.createdMillis())
                    .filter(other -> identity != null && identity.equals(
                            other.header().recoveryAddress().get(JournalHeader.IDENTITY)))
                    .filter(other -> !other.ownership().settled()
                            || other.ownership().owner() != Owner.SOURCE)
                    .findFirst();
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "cannot read the journals in "
                    + directory.path() + ": " + e.getMessage(), "look at that folder");
        }
    }

    /** Returns whether the guest is not this journal's to act on any more. */
    private boolean isSuperseded() throws GuestException {
        Optional<FileJournal> newer = newer();
        if (newer.isPresent() && !newer.get().ownership().settled()) {
            UUID first = newer.get().header().migration();
            throw new GuestException(ErrorCode.BUSY, "a newer migration of this guest, " + first
                    + ", is not settled", "settle that one first: pageferry settle " + first);
        }
        return newer.isPresent();
    }

    @Override
    public Optional<GuestHandle> guest() throws GuestException {
        return isSuperseded() ? Optional.empty() : handle();
    }

    /** A handle that is only closed does nothing to its guest. */
    @Override
    public void sweep() {
        try {
            handle().ifPresent(GuestHandle::close);
        } catch (GuestException e) {
            // It cannot be reached, and needs no act.
            return;
        }
    }

    private Optional<GuestHandle> handle() throws GuestException {
        JournalHeader header = journal.header();
        if (header.recoveryAddress().isEmpty()) {
            return Optional.empty(); // an embedder's guest has no URI that could be parsed
        }
        Optional<GuestKind> kind = GuestKinds.find(GuestUri.parse(header.guest()).scheme());
        return kind.isEmpty() ? Optional.empty() : kind.get().handle(header.recoveryAddress());
    }

    @Override
    public boolean endsGuest() {
        return After.of(journal.header().recoveryAddress()).orElse(null) != After.KEEP;
    }

    @Override
    public LinkOpener target() throws IOException {
        access = connector.open();
        return access;
    }

    @Override
    public void close() {
        if (access != null) {
            access.close();
            access = null;
        }
        if (guestLock != null) {
            guestLock.close();
            guestLock = null;
        }
        if (journal != null) {
            journal.close();
        }
    }
}
