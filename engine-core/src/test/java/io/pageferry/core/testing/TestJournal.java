package io.pageferry.core.testing;

import io.pageferry.core.handover.Journal;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A journal in memory that can refuse records. Confined to one thread. */
public final class TestJournal implements Journal {
    private final List<JournalRecord> records = new ArrayList<>();
    private final Set<JournalState> failing = EnumSet.noneOf(JournalState.class);
    private final String side;
    private final EventLog log;
    private boolean keepFailed;

    /**
     * Makes an empty journal.
     *
     * @param side {@code source} or {@code target}, for the log
     * @param log  receives each record as {@code side.J(STATE epoch)}
     */
    public TestJournal(String side, EventLog log) {
        this.side = side;
        this.log = log;
    }

    /**
     * Refuses records from now on.
     *
     * @param state the records to refuse
     * @param kept  whether they are there all the same: a failed fsync promises neither
     */
    public void failOn(JournalState state, boolean kept) {
        failing.add(state);
        keepFailed = kept;
    }

    /** Takes every record again. */
    public void failNoMore() {
        failing.clear();
    }

    @Override
    public void write(JournalRecord entry) throws IOException {
        boolean fails = failing.contains(entry.state());
        if (!fails || keepFailed) {
            records.add(entry);
        }
        String name = side + ".J(" + entry.state() + " " + entry.epoch() + ")";
        log.add(fails ? name + " failed" : name);
        if (fails) {
            throw new IOException("no space left on the test's disk");
        }
    }

    @Override
    public Optional<JournalRecord> last() {
        return records.isEmpty() ? Optional.empty() : Optional.of(records.getLast());
    }

    @Override
    public Optional<JournalRecord> decision() {
        return records.reversed().stream()
                .filter(entry -> entry.state() != JournalState.SETTLED).findFirst();
    }

    /** {@return the states of all records, oldest first} */
    public List<JournalState> states() {
        return records.stream().map(JournalRecord::state).toList();
    }

    /** {@return all records, oldest first; a copy} */
    public List<JournalRecord> records() {
        return List.copyOf(records);
    }
}
