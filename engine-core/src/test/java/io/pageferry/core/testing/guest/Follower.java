package io.pageferry.core.testing.guest;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.SentPages;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.migration.Guest;
import java.util.List;

/** Follows a guest's writes as a migration does: asks the tracker first, reads afterwards. */
final class Follower implements AutoCloseable {
    private final Guest guest;
    private final DirtyTracker tracker;
    private final DirtyBitmap dirty;
    private final Sums sent;

    /** Arms the tracker, and takes every page once. */
    Follower(Guest guest) throws TrackerException {
        this.guest = guest;
        this.tracker = guest.tracker();
        this.dirty = new DirtyBitmap(guest.memory().regions().pageCount());
        this.sent = new Sums(guest.memory());
        tracker.start();
        dirty.markAll();
        send();
    }

    /** Asks the tracker; returns how many pages wait to be read. */
    long harvest() throws TrackerException {
        tracker.harvest(dirty);
        return dirty.count();
    }

    DirtyBitmap dirty() {
        return dirty;
    }

    /** Reads what was reported, and forgets that it was. */
    void send() {
        SentPages sentPageObserver = tracker instanceof SentPages learns ? learns : null;
        for (long page = dirty.nextMarked(0); page < dirty.pages();
                page = dirty.nextMarked(page + 1)) {
            dirty.clear(page);
            sent.read(page);
            if (sentPageObserver != null && sent.isZero(page)) {
                sentPageObserver.sentZero(page);
            } else if (sentPageObserver != null) {
                sentPageObserver.sent(page, sent.lastRead(), 0);
            }
        }
    }

    /** Pages of the paused guest that are not as they were read last. */
    List<Long> differing() {
        try (Sums now = new Sums(guest.memory())) {
            return now.readAll().differing(sent);
        }
    }

    /** The tracker is the guest's, and stays armed. */
    @Override
    public void close() {
        dirty.close();
        sent.close();
    }
}
