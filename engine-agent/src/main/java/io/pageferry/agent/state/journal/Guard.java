package io.pageferry.agent.state.journal;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.core.migration.Outcome;
import java.io.IOException;
import java.util.UUID;

/**
 * What finishes what an agent began, where that dies, and the journal by which it does so. Of the
 * agent's thread.
 */
public interface Guard
        extends GuestSetup.Injector, GuestSetup.Launcher, GuestSetup.ThawGuard, AutoCloseable {
    /** Starts early, as it takes its time. A failure is only logged here. */
    void prepare();

    /**
     * Starts where nothing is there; it gets ready while the caller goes on.
     *
     * @throws IOException when it cannot be started
     */
    void start() throws IOException;

    /**
     * Makes the journal of a migration.
     *
     * @param directory of journals
     * @param header    its first line
     * @return the journal, empty, the caller's to close
     * @throws IOException when it is there already or cannot be made
     */
    MigrationJournal journal(StateDirectory directory, JournalHeader header) throws IOException;

    /**
     * Has it watch over a migration from now on.
     *
     * @param directory of the journal
     * @param migration names it
     * @throws IOException when it cannot
     */
    void watch(StateDirectory directory, UUID migration) throws IOException;

    /** {@return whether it was started, and has died} */
    boolean isLost();

    /**
     * Sends it away: all is done, or nothing was begun. It may be started again. What was launched
     * and has no guest it goes on keeping.
     */
    void dismiss();

    /**
     * Has it stay, when this is closed, with a guest that does not answer, which may take long.
     * From now on it says nothing, so that nobody waits for its words.
     *
     * @param migration names it
     * @param outcome   how it ended
     * @return the same with who sees to the guest; where nobody does and it is the source's, in
     *         doubt
     */
    Outcome staysAfter(UUID migration, Outcome outcome);

    /** Leaves what it watches to it, as if the agent had died. */
    void abandon();

    /** Sends it away, unless it {@linkplain #staysAfter stays}. */
    @Override
    void close();
}
