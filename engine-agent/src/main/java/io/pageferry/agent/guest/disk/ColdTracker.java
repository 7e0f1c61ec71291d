package io.pageferry.agent.guest.disk;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;

/** Of disks to which nobody writes: they are held alone for as long as they are moved. */
final class ColdTracker implements DirtyTracker {
    @Override
    public String name() {
        return "none";
    }

    @Override
    public void start() {
        // There is nothing to be armed.
    }

    @Override
    public void harvest(DirtyBitmap into) {
        // Nothing was written.
    }

    @Override
    public boolean mayMissHoles() {
        return false;
    }

    @Override
    public void close() {
        // There is nothing to be stopped.
    }
}
