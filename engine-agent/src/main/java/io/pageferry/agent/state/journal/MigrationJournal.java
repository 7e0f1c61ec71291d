package io.pageferry.agent.state.journal;

import io.pageferry.core.handover.Journal;
import io.pageferry.core.handover.Ownership;
import java.io.IOException;

/** The journal of one migration at one side, as its session has it. */
public interface MigrationJournal extends Journal, AutoCloseable {
    /** {@return what follows from it for the guest now} */
    Ownership ownership();

    /**
     * Has nothing left of it, for a migration that never was; it is closed all the same.
     *
     * @throws IOException when something stays
     */
    void delete() throws IOException;

    /** Gives back what it holds. Idempotent. */
    @Override
    void close();
}
