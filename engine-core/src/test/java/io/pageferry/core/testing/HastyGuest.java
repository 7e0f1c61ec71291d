package io.pageferry.core.testing;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.MarkingTracker;
import java.util.concurrent.locks.LockSupport;

/**
 * A guest whose pause does not wait until the processor has come to the end of its slice, as all
 * else that is asked of it does.
 */
final class HastyGuest extends LiveGuest {
    private static final int STEPS = 10;
    private static final long STEP_NANOS = 50_000;

    private final MarkingTracker marks;
    private volatile boolean stop;

    HastyGuest(long seed) {
        this(seed, new MarkingTracker(PAGES));
    }

    private HastyGuest(long seed, MarkingTracker marks) {
        super(seed, new Gate(), marks, marks::mark);
        this.marks = marks;
    }

    @Override
    synchronized void slice() {
        for (int i = 0; i < STEPS && !(i == 0 && stop); i++) {
            LockSupport.parkNanos(STEP_NANOS);
            step();
        }
    }

    @Override
    public void pause() {
        stop = true;
    }

    @Override
    public synchronized void resume() {
        stop = false;
    }

    @Override
    public synchronized boolean isRunning() {
        return !stop;
    }

    private synchronized void awaitSlice() {
        // It ends before this lock is had.
    }

    @Override
    public DirtyTracker tracker() {
        return new DirtyTracker() {
            @Override
            public String name() {
                return marks.name();
            }

            @Override
            public void start() {
                marks.start();
            }

            @Override
            public void harvest(DirtyBitmap into) {
                if (stop) {
                    awaitSlice();
                }
                marks.harvest(into);
            }

            @Override
            public void close() {
                marks.close();
            }
        };
    }
}
