package io.pageferry.core.migration;

import io.pageferry.core.round.RoundStats;
import io.pageferry.core.words.Labelled;

/** Something that happened to a migration, reported once. Immutable. */
public sealed interface MigrationEvent {
    /** How much a line matters. */
    enum Level implements Labelled {
        /** Good to know. */
        INFO,
        /** The operator should look at it. */
        WARN
    }

    /**
     * Reports that a state was entered.
     *
     * @param state in lower case, as docs/PROTOCOL.md names it
     * @param epoch the attempt, 0 before the first
     */
    record StateEntered(String state, long epoch) implements MigrationEvent { }

    /**
     * Reports that a round ended.
     *
     * @param round what it did
     */
    record RoundEnded(RoundStats round) implements MigrationEvent { }

    /**
     * Carries one line for a log.
     *
     * @param level   how much it matters
     * @param message one line
     */
    record Logged(Level level, String message) implements MigrationEvent { }

    /**
     * Makes a line that is good to know.
     *
     * @param message one line
     * @return the event
     */
    static MigrationEvent info(String message) {
        return new Logged(Level.INFO, message);
    }

    /**
     * Makes a line that the operator should look at.
     *
     * @param message one line
     * @return the event
     */
    static MigrationEvent warn(String message) {
        return new Logged(Level.WARN, message);
    }
}
