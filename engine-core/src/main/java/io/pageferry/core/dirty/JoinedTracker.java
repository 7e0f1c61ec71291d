package io.pageferry.core.dirty;

import java.util.List;

/**
 * Several trackers of the same memory, each of which sees the stores of one writer: a page is dirty
 * where any of them reports it. Each keeps the order "clear, then read" by itself, and so do all of
 * them together: nothing is read before the last one was asked. Confined to one thread; owns them.
 */
public final class JoinedTracker implements DirtyTracker {
    private final List<DirtyTracker> parts;

    /**
     * Makes an unarmed tracker.
     *
     * @param parts one for each writer, of one kind; owned from now on
     */
    public JoinedTracker(List<? extends DirtyTracker> parts) {
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("nothing to join");
        }
        this.parts = List.copyOf(parts);
    }

    @Override
    public String name() {
        return parts.getFirst().name();
    }

    @Override
    public void start() throws TrackerException {
        boolean armed = false;
        try {
            for (DirtyTracker part : parts) {
                part.start();
            }
            armed = true;
        } finally {
            if (!armed) {
                close();
            }
        }
    }

    @Override
    public void harvest(DirtyBitmap into) throws TrackerException {
        each(part -> part.harvest(into));
    }

    @Override
    public void harvestPaused(DirtyBitmap into) throws TrackerException {
        each(part -> part.harvestPaused(into));
    }

    private interface Harvest {
        void of(DirtyTracker part) throws TrackerException;
    }

    /** Asks each of them, also behind one that fails: every page counts as written then anyway. */
    private void each(Harvest harvest) throws TrackerException {
        TrackerException failed = null;
        for (DirtyTracker part : parts) {
            try {
                harvest.of(part);
            } catch (TrackerException e) {
                if (failed == null) {
                    failed = e;
                } else {
                    failed.addSuppressed(e);
                }
            }
        }
        if (failed != null) {
            throw failed;
        }
    }

    @Override
    public boolean mayMissHoles() {
        return parts.stream().anyMatch(DirtyTracker::mayMissHoles);
    }

    @Override
    public boolean comparesContents() {
        return parts.stream().allMatch(DirtyTracker::comparesContents);
    }

    @Override
    public void close() {
        parts.forEach(DirtyTracker::close);
    }
}
