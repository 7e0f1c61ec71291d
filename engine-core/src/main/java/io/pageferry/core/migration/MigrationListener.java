package io.pageferry.core.migration;

/**
 * Hears how a migration goes, on the migration's thread; must return quickly. What is not
 * overridden is not listened to.
 */
public interface MigrationListener {
    /**
     * Hears what happened.
     *
     * @param event each, in order
     */
    default void on(MigrationEvent event) {
        // Nobody listens.
    }

    /**
     * Sees where the migration is, at the end of each duty cycle that did something: often.
     *
     * @param now how far it is
     */
    default void onCycle(MigrationSnapshot now) {
        // Nobody looks.
    }

    /** {@return one that hears nothing} */
    static MigrationListener silent() {
        return new MigrationListener() { };
    }
}
