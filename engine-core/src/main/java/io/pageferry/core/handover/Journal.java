package io.pageferry.core.handover;

import java.io.IOException;
import java.util.Optional;

/** The durable memory of one migration at one side. */
public interface Journal {
    /**
     * Adds a record. When it returns, the record survives a crash of the machine.
     *
     * @param entry the record
     * @throws IOException when that cannot be promised; the record may or may not be there
     */
    void write(JournalRecord entry) throws IOException;

    /**
     * Reads the last record.
     *
     * @return the last whole record, if any
     */
    Optional<JournalRecord> last();

    /**
     * Returns what was decided last, whether or not its act was done.
     *
     * @return the last record that is not SETTLED, if any
     */
    Optional<JournalRecord> decision();
}
