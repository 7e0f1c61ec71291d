package io.pageferry.core.handover;

import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;

/**
 * A migration whose agent is gone, as its journal and its host keep it: the port of
 * {@link Recovery}. Confined to one thread; no method waits for another process's lock.
 */
public interface AbandonedMigration extends AutoCloseable {
    /** {@return its name} */
    UUID id();

    /** {@return whose journal it is} */
    Side side();

    /**
     * Takes the journal's lock and reads the journal.
     *
     * @return the journal, writable until {@link #close}, or empty while another process holds it
     * @throws IOException when there is none, or it cannot be read
     */
    Optional<? extends Journal> lockJournal() throws IOException;

    /**
     * Takes the guest's lock. Called once the journal's is held.
     *
     * @return whether it is held until {@link #close}: false while another migration of the guest
     *         is under way; true also where the guest died with its agent and there is none
     * @throws IOException when the lock cannot be made
     */
    boolean lockGuest() throws IOException;

    /**
     * Reaches the guest. Called once both locks are held.
     *
     * @return the guest that the journal names, the caller's to close; empty where it died with its
     *         agent, or a newer migration decides about it
     * @throws GuestException when it is there but cannot be reached
     */
    Optional<GuestHandle> guest() throws GuestException;

    /**
     * Removes what the dead agent left on this host beside a guest that needs no act any more, such
     * as its sockets. What cannot be removed stays. Called once both locks are held.
     */
    default void sweep() {
        // A migration that leaves nothing.
    }

    /** {@return whether the source's guest ends once the target runs it; else it stays paused} */
    boolean endsGuest();

    /**
     * Reaches the target. Called at a source only, where it is to be asked.
     *
     * @return opens links; this migration's to close
     * @throws IOException when there is no way to it
     */
    LinkOpener target() throws IOException;

    /** Gives back both locks and what else was opened. Idempotent. */
    @Override
    void close();
}
