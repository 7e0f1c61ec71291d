package io.pageferry.core.migration;

/**
 * Receives events of a migration, on the migration's thread; must return quickly. A method that is
 * not overridden does nothing.
 */
public interface MigrationListener {
    /**
     * Receives one event.
     *
     * @param event each, in order
     */
    default void on(MigrationEvent event) {
        // The event is ignored.
    }

    /**
     * Sees where the migration is, at the end of each duty cycle that did something: often.
     *
     * @param now how far it is
     */
    default void onCycle(MigrationSnapshot now) {
        // The snapshot is ignored.
    }

    /** {@return a listener that does nothing} */
    static MigrationListener silent() {
        return new MigrationListener() { };
    }
}
