package io.pageferry.core.testing.guest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.MappedMemory;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.round.WriteThrottle;
import io.pageferry.core.round.WriteThrottle.Quota;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What every {@link Guest} must do. Whoever implements one extends this class in his tests, says
 * how one is opened, and runs it with JUnit:
 *
 * <pre>{@code
 * class MyGuestTest extends GuestContractTest {
 *     protected Guest open() throws Exception {
 *         return new MyGuest(…);          // runs, and writes its memory all the time
 *     }
 * }
 * }</pre>
 *
 * <p>Each test opens a guest of its own and closes it. A guest that only writes when it is told to
 * overrides {@link #work}. A few megabytes of memory and a writer that does not rest find most: a
 * write that is lost, or that comes after {@link Guest#pause} returned, is found by chance, in up
 * to {@value #CYCLES} tries each. What every test calls, it calls from one thread, as a migration
 * does; what an act may take at most is {@value #ACT_SECONDS} s.
 *
 * <p>Of Maven: {@code io.pageferry:engine-core}, type {@code test-jar}, classifier
 * {@code guest-contract}, scope {@code test}, beside JUnit Jupiter.
 */
@Timeout(120)
public abstract class GuestContractTest {
    /** Tries to catch a write in an awkward moment. */
    static final int CYCLES = 200;

    /** What an act on the guest may take, as {@link Guest} says. */
    static final int ACT_SECONDS = 5;

    private static final int MOST_KIND_BYTES = 64;
    private static final int MOST_NAME_BYTES = 255;
    private static final int FEWEST_CYCLES = 20;
    private static final long ROUND_NANOS = 1_000_000;
    private static final long PERIOD_NANOS = 100_000_000;
    private static final int WINDOWS = 10;
    private static final int MOST_PHASES = 8;

    private Guest guest;
    private Trial trial;
    private Worker worker;

    /**
     * Opens a guest that runs.
     *
     * @return closed by the test
     * @throws Exception when this machine cannot; a failed assumption skips the test
     */
    protected abstract Guest open() throws Exception;

    /**
     * Has a guest write that does not do so by itself: called again and again, by a thread beside
     * the migration's, from {@link #open} until before {@link Guest#close}, also while the guest
     * is paused; then nothing may be written. Returns within milliseconds.
     *
     * @param opened by {@link #open}
     */
    protected void work(Guest opened) {
        LockSupport.parkNanos(1_000_000);
    }

    /**
     * Tells whether the state holds nothing but what the guest is: no time of day, no number that
     * is drawn anew.
     *
     * @return false where two saves of one paused guest may differ, or where there can be no
     *         second one before it ran again
     */
    protected boolean stateIsRepeatable() {
        return true;
    }

    /**
     * Tells whether holes may be read through a window, which a migration never does: a file on
     * tmpfs then takes storage for them.
     *
     * @return false where what stands there is not zero for a reader
     */
    protected boolean holesMayBeRead() {
        return true;
    }

    /**
     * Bounds the two tests that wait for chance.
     *
     * @return how long each of them tries, at most {@value #CYCLES} times
     */
    protected Duration effort() {
        return Duration.ofSeconds(2);
    }

    @BeforeEach
    final void begin() throws Exception {
        guest = open();
        trial = new Trial(guest);
        worker = new Worker(() -> work(guest));
    }

    @AfterEach
    final void end() {
        if (guest == null) {
            return;
        }
        try {
            if (worker != null) {
                worker.close();
            }
        } finally {
            guest.close();
        }
    }

    @Test
    void describesTheMemoryThatItGives() {
        GuestDescription told = guest.describe();
        RegionTable regions = guest.memory().regions();
        assertEquals(regions.regions(), told.regions().regions(), "regions");
        assertTrue(bytes(told.kind()) >= 1 && bytes(told.kind()) <= MOST_KIND_BYTES, "kind");
        assertTrue(bytes(told.name()) <= MOST_NAME_BYTES, "name");
        assertTrue(told.attributes().size() <= GuestDescription.MAX_ATTRIBUTES, "attributes");
        assertTrue(told.dataBytes() >= 0 && told.dataBytes() <= regions.totalBytes(),
                () -> "dataBytes " + told.dataBytes() + " of " + regions.totalBytes());
        if (guest.memory() instanceof MappedMemory mapped) {
            for (int i = 0; i < regions.regions().size(); i++) {
                assertEquals(regions.region(i).size(), mapped.window(i).byteSize(),
                        "window of region " + i);
            }
        }
        assertEquals(told.kind(), guest.describe().kind());
        assertFalse(guest.tracker().name().isBlank(), "name of the tracker");
        assertEquals(Optional.empty(), guest.ended());
    }

    @Test
    void holesAndDataTakeTurns() throws IOException {
        trial.pause();
        PageSource memory = guest.memory();
        long pages = memory.regions().pageCount();
        long page = 0;
        while (page < pages) {
            long data = memory.nextData(page);
            assertTrue(data >= page && data <= pages, "nextData(" + page + ") is " + data);
            long hole = memory.nextHole(data);
            assertTrue(hole > data || data == pages, "page " + data + " is data and a hole");
            assertTrue(hole <= pages, "nextHole(" + data + ") is " + hole);
            if (data > page) {
                assertEquals(page, memory.nextHole(page), "page " + page + " is no data, and");
            }
            page = hole;
        }
        assertEquals(pages, memory.nextData(pages));
        assertEquals(pages, memory.nextHole(pages));
    }

    @Test
    void whatIsToldToBeAHoleHoldsNothing() throws IOException {
        if (!holesMayBeRead()) {
            return;
        }
        trial.awaitWrites();
        trial.pause();
        PageSource memory = guest.memory();
        RegionTable regions = memory.regions();
        try (Sums sums = new Sums(memory);
                DirtyBitmap holes = new DirtyBitmap(regions.pageCount())) {
            for (long page = memory.nextHole(0); page < regions.pageCount();
                    page = memory.nextHole(page + 1)) {
                holes.mark(page);
            }
            for (long page = holes.nextMarked(0); page < regions.pageCount();
                    page = holes.nextMarked(page + 1)) {
                sums.read(page, true);
                assertTrue(sums.isZero(page),
                        "page " + page + " is told to be a hole, and holds something");
            }
        }
    }

    @Test
    void runsStandsAndRunsAgain() throws IOException {
        assertTrue(guest.isRunning(), "runs when it is opened");
        guest.requireUnchanged();
        for (int i = 0; i < 3; i++) {
            trial.pause();
            assertFalse(guest.isRunning(), "runs while it is paused");
            assertFalse(guest.resumedExternally(), "somebody else let it run");
            trial.resumeAfter("it was paused");
            assertFalse(guest.resumedExternally(), "went on, when it was resumed by us");
            trial.awaitWrites();
        }
        assertEquals(Optional.empty(), guest.ended());
    }

    @Test
    void resumingOneThatRunsHasNoEffect() throws IOException {
        trial.resume();
        trial.pause();
        trial.resume();
        trial.resume();
        trial.awaitWrites();
        trial.pause();
        assertFalse(guest.isRunning(), "one pause is enough after two resumes");
        trial.assertStands("after two resumes");
    }

    @Test
    void noByteChangesOncePauseReturned() throws IOException {
        try (Follower follower = new Follower(guest)) {
            long end = System.nanoTime() + effort().toNanos();
            for (int i = 0; goesOn(i, end); i++) {
                Trial.await("a write", () -> follower.harvest() > 0);
                trial.pause();
                trial.assertStands("pause " + i, follower.dirty());
                follower.send();
                trial.resume();
            }
        }
    }

    @Test
    void theTrackerLosesNoWrite() throws IOException {
        try (Follower follower = new Follower(guest)) {
            long end = System.nanoTime() + effort().toNanos();
            for (int i = 0; goesOn(i, end); i++) {
                Trial.await("a write", () -> follower.harvest() > 0);
                for (int round = 0; round < 2; round++) {
                    follower.send();
                    LockSupport.parkNanos(ROUND_NANOS);
                    follower.harvest();
                }
                // A mark that this harvest took and did not tell shows now.
                trial.pause();
                follower.harvest();
                follower.send();
                assertEquals(List.of(), follower.differing(),
                        "pages that were written and not reported, in cycle " + i);
                trial.resume();
            }
        }
    }

    @Test
    void whatSavingTheStateWritesIsReported() throws IOException {
        try (Follower follower = new Follower(guest); Sums before = new Sums(guest.memory());
                Sums after = new Sums(guest.memory())) {
            Trial.await("a write", () -> follower.harvest() > 0);
            trial.pause();
            follower.harvest();
            follower.send();
            before.readAll();
            trial.save();
            follower.harvest();
            after.readAll();
            for (long page : after.differing(before)) {
                assertTrue(follower.dirty().isMarked(page),
                        "saveState wrote page " + page + ", and the tracker did not report it");
            }
            trial.assertStands("after its state was saved");
        }
    }

    @Test
    void theStateOfAPausedGuestIsRepeatable() throws IOException {
        if (!stateIsRepeatable()) {
            return;
        }
        trial.awaitWrites();
        trial.pause();
        byte[] first = trial.save();
        assertArrayEquals(first, trial.save(),
                "the second state of a guest that did not run between");
    }

    @Test
    void afterARollBackItRunsAndIsSavedAgain() throws IOException {
        for (int i = 0; i < 3; i++) {
            trial.awaitWrites();
            trial.pause();
            trial.save();
            assertFalse(guest.isRunning(), "runs after its state was saved");
            trial.resumeAfter("its state was saved");
        }
        trial.awaitWrites();
    }

    @Test
    void aStateThatCannotBeWrittenLeavesItToBeResumed() throws IOException {
        trial.pause();
        int length = trial.save().length;
        trial.resumeAfter("its state was saved");
        for (int room : List.of(0, length / 2)) {
            trial.awaitWrites();
            trial.pause();
            if (length > room) {
                assertThrows(IOException.class, () -> Trial.within("saveState",
                        () -> guest.saveState(new FullStream(room))), "no room for the state");
            }
            trial.resumeAfter("its state could not be written");
        }
        trial.awaitWrites();
        trial.pause();
        trial.save();
    }

    @Test
    void theThrottleHoldsIsCountedAndUndone() throws IOException {
        WriteThrottle throttle = guest.throttle().orElse(null);
        if (throttle == null) {
            return;
        }
        assertFalse(throttle.name().isBlank());
        try (Follower follower = new Follower(guest);
                DirtyBitmap ever = new DirtyBitmap(follower.dirty().pages())) {
            long before = throttle.stolenNanos();
            long free = 0;
            long held = 0;
            // One that got no processor for a while wrote little unthrottled, too: more of both.
            int phases = 0;
            for (; phases < 2 || phases < MOST_PHASES && held * 4 > free * 3; phases++) {
                throttle.set(WriteThrottle.MAX_PERCENT);
                // Some hold in periods of a tenth of a second, and let go at the begin of each.
                LockSupport.parkNanos(PERIOD_NANOS);
                for (int i = 0; i < WINDOWS; i++) {
                    held += Trial.writtenInAWindow(follower, ever);
                }
                throttle.close();
                for (int i = 0; i < WINDOWS; i++) {
                    free += Trial.writtenInAWindow(follower, ever);
                }
            }
            // Who writes all its pages in a window does so in a hundredth of it, perhaps.
            if (free * 2 <= ever.count() * WINDOWS * phases) {
                assertTrue(held * 4 <= free * 3, "pages written at " + WriteThrottle.MAX_PERCENT
                        + " %: " + held + ", without: " + free);
            }
            if (throttle.hasQuota()) {
                throttle.quota(Quota.CLASSIC);
            }
            throttle.set(WriteThrottle.MAX_PERCENT);
            // Nothing is taken from a guest that happens to rest.
            Trial.await("the throttle to count what it took",
                    () -> throttle.stolenNanos() > before);
            trial.pause();
            trial.resume();
            throttle.close();
            throttle.close();
            follower.send();
            Trial.await("a write after the throttle was undone", () -> follower.harvest() > 0);
        }
    }

    @Test
    void whatAnotherHostOwnsWritesNothing() throws IOException {
        trial.pause();
        trial.save();
        Trial.within("end", guest::end);
        trial.assertStandsForEver("after its end");
    }

    @Test
    void mayBeClosedTwicePausedOrRunning() throws IOException {
        worker.close();
        Trial.within("close", guest::close);
        Trial.within("close", guest::close);
    }

    private static boolean goesOn(int cycle, long end) {
        return cycle < FEWEST_CYCLES || cycle < CYCLES && System.nanoTime() - end < 0;
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
