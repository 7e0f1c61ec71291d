package io.pageferry.core.testing.tracker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link DirtyTracker} must do. */
public abstract class TrackerContract {
    /** Pages of the guest that {@link #open} makes. */
    public static final int PAGES = 500;

    private static final long SEED = 20;
    private static final int ROUNDS = 200;

    private Tracked guest;
    private DirtyBitmap dirty;
    private final int[] sent = new int[PAGES];

    /** Memory that is written, and its tracker. */
    public interface Tracked extends AutoCloseable {
        /** {@return the tracker of this memory, unarmed} */
        DirtyTracker tracker();

        /**
         * Writes a page in the way that the tracker is made for.
         *
         * @param page   global index
         * @param number goes into the page
         */
        void write(long page, int number);

        /**
         * Takes a page's storage away and has the guest read it: it holds zeros, in new storage,
         * and no store touched it.
         *
         * @param page global index
         */
        void discardAndRead(long page);

        /**
         * Reads a page as a round does, and tells the tracker where it wants to know.
         *
         * @param page global index
         * @return the number that was written last, 0 before the first
         */
        int send(long page);

        /** Frees the memory and the tracker. */
        @Override
        void close();
    }

    /**
     * Makes memory of {@link #PAGES} pages, none of them a hole.
     *
     * @return owned by the test
     * @throws Exception when this machine cannot
     */
    protected abstract Tracked open() throws Exception;

    @BeforeEach
    final void begin() throws Exception {
        guest = open();
        dirty = new DirtyBitmap(PAGES);
    }

    @AfterEach
    final void end() {
        if (guest != null) {
            guest.close();
            dirty.close();
        }
    }

    @Test
    void reportsWhatWasWrittenAndNothingTwice() throws Exception {
        sendAll();
        guest.write(3, 1);
        guest.write(64, 1);
        guest.write(PAGES - 1, 1);
        guest.tracker().harvest(dirty);
        assertEquals(3, dirty.count());
        assertTrue(dirty.isMarked(3) && dirty.isMarked(64) && dirty.isMarked(PAGES - 1));
        sendDirty();
        guest.tracker().harvest(dirty);
        assertEquals(0, dirty.count());
    }

    @Test
    void reportsAgainWhatIsWrittenAfterItWasRead() throws Exception {
        sendAll();
        guest.write(7, 1);
        guest.tracker().harvest(dirty);
        assertTrue(dirty.clear(7));
        assertEquals(1, guest.send(7));
        guest.write(7, 2);
        guest.tracker().harvest(dirty);
        assertTrue(dirty.isMarked(7));
    }

    @Test
    void reportsWhatIsWrittenBetweenHarvestAndRead() throws Exception {
        sendAll();
        guest.write(7, 1);
        guest.tracker().harvest(dirty);
        guest.write(7, 2);
        assertEquals(2, arrivesBy(7));
    }

    @Test
    void keepsTheMarksThatWereThere() throws Exception {
        sendAll();
        dirty.mark(100);
        guest.write(99, 1);
        guest.tracker().harvest(dirty);
        assertTrue(dirty.isMarked(100));
        assertTrue(dirty.isMarked(99));
    }

    @Test
    void reportsInThePauseWhatLostItsStorageAndWasReadSince() throws Exception {
        guest.write(7, 1);
        guest.write(8, 1);
        guest.write(9, 1);
        sendAll();
        guest.discardAndRead(7);
        guest.tracker().harvest(dirty);
        sendDirty();
        guest.discardAndRead(9);
        long marked = dirty.count();
        guest.tracker().harvestPaused(dirty);
        assertEquals(0, marked);
        assertEquals(0, arrived(7), "taken away while it ran");
        assertEquals(1, arrived(8));
        assertEquals(0, arrived(9), "taken away behind the last harvest");
    }

    /** What the target holds of a page in the end: what was sent last. */
    private int arrived(int page) {
        if (dirty.clear(page)) {
            sent[page] = guest.send(page);
        }
        return sent[page];
    }

    @Test
    void losesNothingInAnyOrder() throws Exception {
        long seed = Long.getLong("pageferry.test.seed", SEED);
        Random random = new Random(seed);
        int[] written = new int[PAGES];
        int[] arrived = new int[PAGES];
        sendAll();
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = random.nextInt(40); i > 0; i--) {
                int page = random.nextInt(PAGES);
                guest.write(page, ++written[page]);
            }
            guest.tracker().harvest(dirty);
            for (long page = dirty.nextMarked(0); page < PAGES;
                    page = dirty.nextMarked(page + 1)) {
                if (random.nextInt(3) > 0) {
                    dirty.clear(page);
                    arrived[(int) page] = guest.send(page);
                }
            }
        }
        guest.tracker().harvest(dirty);
        for (int page = 0; page < PAGES; page++) {
            if (dirty.isMarked(page)) {
                arrived[page] = guest.send(page);
            }
            assertEquals(written[page], arrived[page], "page " + page + ", seed " + seed);
        }
    }

    @Test
    void mayBeClosedUnarmedAndTwice() throws Exception {
        guest.tracker().close();
        guest.tracker().close();
    }

    private int arrivesBy(int page) throws Exception {
        int got = 0;
        while (dirty.clear(page)) {
            got = guest.send(page);
            guest.tracker().harvest(dirty);
        }
        return got;
    }

    private void sendAll() throws Exception {
        guest.tracker().start();
        dirty.markAll();
        sendDirty();
    }

    private void sendDirty() {
        for (long page = dirty.nextMarked(0); page < PAGES; page = dirty.nextMarked(page)) {
            dirty.clear(page);
            sent[(int) page] = guest.send(page);
        }
    }
}
