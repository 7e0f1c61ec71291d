package io.pageferry.core.testing;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/** A tracker that clears its marks too late, in one of two ways. */
final class BrokenTracker implements DirtyTracker {
    private static final long BETWEEN_NANOS = 50_000;

    private final AtomicIntegerArray marks;
    private final DirtyBitmap reported;
    private final boolean nextTime;

    /**
     * Makes one.
     *
     * @param nextTime whether what was reported is cleared by the next harvest, when its pages
     *                 were read long ago; else all is cleared after all was read
     */
    BrokenTracker(int pages, boolean nextTime) {
        this.marks = new AtomicIntegerArray(pages);
        this.reported = new DirtyBitmap(pages);
        this.nextTime = nextTime;
    }

    void mark(long page) {
        marks.set((int) page, 1);
    }

    @Override
    public String name() {
        return "broken";
    }

    @Override
    public void start() {
        clear();
    }

    @Override
    public void harvest(DirtyBitmap into) {
        if (nextTime) {
            reported.forEachRun((first, count) -> {
                for (long page = first; page < first + count; page++) {
                    marks.set((int) page, 0);
                }
            });
            reported.clearAll();
        }
        for (int page = 0; page < marks.length(); page++) {
            if (marks.get(page) == 1) {
                into.mark(page);
                reported.mark(page);
            }
        }
        if (!nextTime) {
            LockSupport.parkNanos(BETWEEN_NANOS);
            clear();
        }
    }

    private void clear() {
        for (int page = 0; page < marks.length(); page++) {
            marks.set(page, 0);
        }
    }

    @Override
    public void close() {
        reported.close();
    }
}
