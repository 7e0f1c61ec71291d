package io.pageferry.core.testing.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.GuestException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** A guest in a test: acts on it that are bounded in time, and looks at what it writes. */
final class Trial {
    private static final long PATIENCE_NANOS = 10_000_000_000L;
    private static final long QUIET_NANOS = 5_000_000L;

    /** Looked at once only, so for long: where the machine is busy nobody writes for a while. */
    private static final long END_NANOS = 100_000_000L;

    private final Guest guest;

    /** An act that may fail as a guest's may. */
    @FunctionalInterface
    interface Act {
        void run() throws IOException;
    }

    /** Whether something is so by now. */
    @FunctionalInterface
    interface Wish {
        boolean isTrue() throws TrackerException, GuestException;
    }

    Trial(Guest guest) {
        this.guest = guest;
    }

    void pause() throws IOException {
        within("pause", guest::pause);
    }

    void resume() throws IOException {
        within("resume", guest::resume);
    }

    void resumeAfter(String what) throws IOException {
        resume();
        assertTrue(guest.isRunning(), () -> "does not run when it is resumed after " + what);
    }

    byte[] save() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        within("saveState", () -> guest.saveState(out));
        return out.toByteArray();
    }

    static void within(String what, Act act) throws IOException {
        long start = System.nanoTime();
        act.run();
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(millis <= GuestContractTest.ACT_SECONDS * 1000L,
                () -> what + " took " + millis + " ms");
    }

    void assertStands(String when) {
        assertStands(when, QUIET_NANOS);
    }

    /** Nobody writes to memory that ended with its process. */
    void assertStandsForEver(String when) {
        try {
            assertStands(when, END_NANOS);
        } catch (PagedMemory.GoneException gone) {
            System.out.println(gone.getCause().getMessage() + ", and its memory with it");
        }
    }

    private void assertStands(String when, long nanos) {
        try (DirtyBitmap none = new DirtyBitmap(guest.memory().regions().pageCount())) {
            assertStands(when, none, nanos);
        }
    }

    /** Reads the pages first that are the likeliest to change. */
    void assertStands(String when, DirtyBitmap first) {
        assertStands(when, first, QUIET_NANOS);
    }

    private void assertStands(String when, DirtyBitmap first, long nanos) {
        try (Sums before = new Sums(guest.memory()); Sums after = new Sums(guest.memory())) {
            before.readAll(first);
            LockSupport.parkNanos(nanos);
            after.readAll();
            assertEquals(List.of(), after.differing(before),
                    "pages of the paused guest that changed, " + when);
        }
    }

    void awaitWrites() throws IOException {
        try (Sums before = new Sums(guest.memory()); Sums after = new Sums(guest.memory())) {
            before.readAll();
            await("a write", () -> !after.readAll().equalTo(before));
        }
    }

    static void await(String what, Wish wish) throws IOException {
        long start = System.nanoTime();
        while (!wish.isTrue()) {
            if (System.nanoTime() - start > PATIENCE_NANOS) {
                fail("waited in vain for " + what + ": does the guest write while it runs?");
            }
            LockSupport.parkNanos(100_000);
        }
    }

    /** Counts the pages that are written in a short time, and notes them. */
    static long writtenInAWindow(Follower follower, DirtyBitmap ever) throws TrackerException {
        follower.harvest();
        follower.send();
        LockSupport.parkNanos(QUIET_NANOS);
        long written = follower.harvest();
        DirtyBitmap dirty = follower.dirty();
        for (long page = dirty.nextMarked(0); page < dirty.pages();
                page = dirty.nextMarked(page + 1)) {
            ever.mark(page);
        }
        follower.send();
        return written;
    }
}
