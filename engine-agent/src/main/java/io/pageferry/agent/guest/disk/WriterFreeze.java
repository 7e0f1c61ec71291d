package io.pageferry.agent.guest.disk;

import io.pageferry.core.migration.GuestException;

/** Stops whoever writes to disks: the file systems on them. */
interface WriterFreeze {
    /** Of disks that nobody writes to. */
    WriterFreeze NONE = new WriterFreeze() {
        @Override
        public void freeze() {
            // Nobody writes.
        }

        @Override
        public void thaw() {
            // Nobody was stopped.
        }
    };

    /**
     * Stops every writer, and brings what was written to the disks.
     *
     * @throws GuestException when one goes on; all do then
     */
    void freeze() throws GuestException;

    /**
     * Lets them go on. Doing it twice does no harm.
     *
     * @throws GuestException when one stays stopped
     */
    void thaw() throws GuestException;
}
