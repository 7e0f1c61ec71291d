package io.pageferry.core.migration;

import io.pageferry.core.round.RoundStats;
import io.pageferry.core.words.Labelled;

/**
 * Hears how a migration goes, on the migration's thread; must return quickly. What is not
 * overridden is not listened to.
 */
public interface MigrationListener {
    /** How much a log line matters. */
    enum Level implements Labelled {
        /** Good to know. */
        INFO,
        /** Somebody should look. */
        WARN
    }

    /**
     * The state changed.
     *
     * @param state the new state in lower case, as docs/PROTOCOL.md names it
     * @param epoch the attempt, 0 before the first
     */
    default void state(String state, long epoch) {
        // Nobody listens.
    }

    /**
     * A round ended.
     *
     * @param round what it did
     */
    default void round(RoundStats round) {
        // Nobody listens.
    }

    /**
     * A round goes on; called often.
     *
     * @param round   0 based
     * @param handled dirty pages handled
     * @param dirty   dirty pages at its begin
     */
    default void progress(long round, long handled, long dirty) {
        // Nobody listens.
    }

    /**
     * Something worth a line.
     *
     * @param level   how much it matters
     * @param message one line
     */
    default void log(Level level, String message) {
        // Nobody listens.
    }

    /** {@return one that hears nothing} */
    static MigrationListener silent() {
        return new MigrationListener() { };
    }
}
