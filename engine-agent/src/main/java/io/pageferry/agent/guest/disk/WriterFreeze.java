package io.pageferry.agent.guest.disk;

import io.pageferry.core.migration.GuestException;
import java.nio.file.Path;

/** Stops whoever writes to disks: the file systems on them. */
interface WriterFreeze extends AutoCloseable {
    /** Of disks that nobody writes to. */
    WriterFreeze NONE = new WriterFreeze() {
        @Override
        public boolean isNeeded() {
            return false;
        }

        @Override
        public boolean holds(Path folder) {
            return false;
        }

        @Override
        public boolean isReady() {
            return true;
        }

        @Override
        public void freeze() {
            // Nobody writes.
        }

        @Override
        public void requireFrozen() {
            // Nobody could have been let go.
        }

        @Override
        public void keep() {
            // Nobody is stopped.
        }

        @Override
        public void thaw() {
            // Nobody was stopped.
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    };

    /** {@return whether anybody writes} */
    boolean isNeeded();

    /**
     * Returns whether a folder would be frozen too.
     *
     * @throws GuestException when that cannot be told
     */
    boolean holds(Path folder) throws GuestException;

    /**
     * Does what takes long and comes before: never waits for it.
     *
     * @return whether it is done
     * @throws GuestException when it cannot be done
     */
    boolean isReady() throws GuestException;

    /**
     * Stops every writer, and brings what was written to the disks.
     *
     * @throws GuestException when one goes on; all do then
     */
    void freeze() throws GuestException;

    /**
     * Makes sure that nobody else let them go on.
     *
     * @throws GuestException when somebody did; all go on then
     */
    void requireFrozen() throws GuestException;

    /**
     * Has them stay stopped whatever becomes of this process.
     *
     * @throws GuestException when they do not
     */
    void keep() throws GuestException;

    /**
     * Lets them go on. Doing it twice does no harm.
     *
     * @throws GuestException when one stays stopped
     */
    void thaw() throws GuestException;

    /** {@return what lets them go on by hand; empty where nobody is stopped} */
    default String byHand() {
        return "";
    }

    /** Lets them go on unless they are {@linkplain #keep kept}. */
    @Override
    void close();
}
