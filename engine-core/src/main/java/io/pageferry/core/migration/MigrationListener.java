package io.pageferry.core.migration;

import io.pageferry.core.round.RoundStats;

/** Hears how a migration goes, on the migration's thread; must return quickly. */
public interface MigrationListener {
    /** How much a log line matters. */
    enum Level {
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
    void state(String state, long epoch);

    /**
     * A round ended.
     *
     * @param round what it did
     */
    void round(RoundStats round);

    /**
     * A round goes on; called often.
     *
     * @param round   0 based
     * @param handled dirty pages handled
     * @param dirty   dirty pages at its begin
     */
    void progress(long round, long handled, long dirty);

    /**
     * Something worth a line.
     *
     * @param level   how much it matters
     * @param message one line
     */
    void log(Level level, String message);

    /** {@return one that hears nothing} */
    static MigrationListener silent() {
        return new MigrationListener() {
            @Override
            public void state(String state, long epoch) {
                // Nobody watches.
            }

            @Override
            public void round(RoundStats round) {
                // Nobody watches.
            }

            @Override
            public void progress(long round, long handled, long dirty) {
                // Nobody watches.
            }

            @Override
            public void log(Level level, String message) {
                // Nobody watches.
            }
        };
    }
}
