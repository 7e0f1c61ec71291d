package io.pageferry.agent.state.journal;

import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.Ownership;
import io.pageferry.core.migration.Outcome.Side;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The journal of a migration whose both sides end with this process: once that is dead nobody asks
 * what was decided.
 */
public final class MemoryJournal implements MigrationJournal {
    private final Side side;
    private final List<JournalRecord> records = new ArrayList<>();

    /**
     * Makes an empty one.
     *
     * @param side whose it is
     */
    public MemoryJournal(Side side) {
        this.side = side;
    }

    @Override
    public synchronized void write(JournalRecord entry) {
        records.add(entry);
    }

    @Override
    public synchronized Optional<JournalRecord> last() {
        return records.isEmpty() ? Optional.empty() : Optional.of(records.getLast());
    }

    @Override
    public synchronized Optional<JournalRecord> decision() {
        return decision(records);
    }

    /** The last of some records that decided something. */
    static Optional<JournalRecord> decision(List<JournalRecord> records) {
        return records.reversed().stream()
                .filter(entry -> entry.state() != JournalState.SETTLED).findFirst();
    }

    @Override
    public Ownership ownership() {
        return Ownership.of(side, this);
    }

    @Override
    public void delete() {
        // Nothing of it is anywhere.
    }

    @Override
    public void close() {
        // It holds nothing.
    }
}
