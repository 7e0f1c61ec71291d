package io.pageferry.core.dirty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.precopy.GranuleFilter;
import io.pageferry.core.testing.tracker.TrackerContract;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What becomes of the report of a tracker that cannot tell 4 KiB apart. */
class GranuleFilterTest extends TrackerContract {
    private static final long SEED = 6;
    private static final int HUGE = 200;

    /** The last granule of the second region is no whole one. */
    private static final RegionTable REGIONS = new RegionTable(List.of(
            new Region(0, "small", 0, HUGE * 4096L, 4096),
            new Region(1, "huge", 1L << 32, (PAGES - HUGE) * 4096L, 128 * 4096)));

    @Override
    protected Tracked open() {
        return filtered();
    }

    private static TrackedMemory filtered() {
        return new TrackedMemory(REGIONS, (memory, pages) -> new FilteredTracker(memory));
    }

    @Test
    void isThereOnlyWhereAGranuleIsCoarse() {
        try (TrackedMemory guest = filtered();
                TrackedMemory fine = new TrackedMemory(
                        RegionTable.single("ram", PAGES * 4096L),
                        (memory, pages) -> new MarkingTracker(pages))) {
            assertTrue(GranuleFilter.between(fine.memory(), fine.tracker()).isEmpty());
            DirtyTracker scan = new ScanTracker(guest.memory());
            assertTrue(GranuleFilter.between(guest.memory(), scan).isEmpty());
            scan.close();
        }
    }

    @Test
    void holesOfAGranuleAreNotReadAndBecomeZeroWhereTheyWereSent() throws Exception {
        try (TrackedMemory guest = filtered(); DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            guest.tracker().start();
            guest.write(HUGE + 1, 1);
            guest.send(HUGE + 1);
            guest.memory().punch(HUGE);
            guest.memory().punch(HUGE + 1);
            guest.write(HUGE + 2, 1);
            guest.tracker().harvest(dirty);
            assertFalse(dirty.isMarked(HUGE), "zero here and there; or its poison was read");
            assertTrue(dirty.isMarked(HUGE + 1), "sent with content, and a hole now");
            assertTrue(dirty.isMarked(HUGE + 2));
            assertEquals(2, dirty.count());
        }
    }

    @Test
    void theSameBytesAgainAreNoChange() throws Exception {
        try (TrackedMemory guest = filtered(); DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            guest.tracker().start();
            for (int number = 1; number <= 2; number++) {
                guest.write(5, number);
                guest.send(5);
                guest.write(HUGE + 5, number);
                guest.send(HUGE + 5);
            }
            guest.tracker().harvest(dirty);
            assertTrue(dirty.isMarked(5), "of a fine region the report stands as it is");
            assertEquals(1, dirty.count());
        }
    }

    /** What is compared with must be the copy that is sent, not a second look at the page. */
    @Test
    void findsWhatIsWrittenBetweenTheCopyAndItsBatch() throws Exception {
        assertEquals(1, dirtyAfterALateWrite(false));
        assertEquals(0, dirtyAfterALateWrite(true), "the control loses the write");
    }

    private static long dirtyAfterALateWrite(boolean looksAgain) throws Exception {
        try (TrackedMemory guest = filtered(); DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            guest.tracker().start();
            guest.write(HUGE + 9, 1);
            byte[] copy = guest.memory().read(HUGE + 9);
            guest.write(HUGE + 9, 2);
            byte[] hashed = looksAgain ? guest.memory().read(HUGE + 9) : copy;
            ((SentPages) guest.tracker()).sent(HUGE + 9, MemorySegment.ofArray(hashed), 0);
            guest.tracker().harvest(dirty);
            return dirty.count();
        }
    }

    /** By its checksum the page would be unchanged. */
    @Test
    void findsAWriteThatKeepsTheChecksum() throws Exception {
        byte[] before = new byte[4096];
        new Random(SEED).nextBytes(before);
        byte[] after = before.clone();
        ByteBuffer bytes = ByteBuffer.wrap(after).order(ByteOrder.LITTLE_ENDIAN);
        // CRC32C does not see its own polynomial added: 1EDC6F41 behind its leading one, bits
        // in the order in which they are divided.
        long polynomial = 1 | (Integer.reverse(0x1EDC6F41) & 0xFFFFFFFFL) << 1;
        bytes.putLong(1000, bytes.getLong(1000) ^ polynomial);
        PageChecksum crc = new PageChecksum();
        assertEquals(crc.of(ByteBuffer.wrap(before), 0), crc.of(ByteBuffer.wrap(after), 0));

        try (TrackedMemory guest = filtered(); DirtyBitmap dirty = new DirtyBitmap(PAGES)) {
            guest.tracker().start();
            guest.memory().write(PAGES - 1, before);
            ((SentPages) guest.tracker()).sent(PAGES - 1, MemorySegment.ofArray(before), 0);
            guest.memory().write(PAGES - 1, after);
            ((FilteredTracker) guest.tracker()).mark(PAGES - 1);
            guest.tracker().harvest(dirty);
            assertTrue(dirty.isMarked(PAGES - 1));
            assertEquals(1, dirty.count());
        }
    }

    @Test
    void aFailedScanIsToldAndLeavesNothingBehind() throws Exception {
        Broken broken = new Broken();
        try (TrackedMemory guest = filtered(); DirtyBitmap dirty = new DirtyBitmap(PAGES);
                GranuleFilter filter = GranuleFilter.between(guest.memory(), broken)
                        .orElseThrow()) {
            guest.write(HUGE, 1);
            assertThrows(TrackerException.class, () -> filter.harvest(broken::harvest, dirty));
            filter.harvest(new MarkingTracker(PAGES)::harvest, dirty);
            assertEquals(0, dirty.count(), "the caller takes every page as dirty by himself");
        }
    }

    /** Marks a page, then fails. */
    private static final class Broken implements DirtyTracker {
        @Override
        public String name() {
            return "broken";
        }

        @Override
        public void start() {
            // always armed
        }

        @Override
        public void harvest(DirtyBitmap into) throws TrackerException {
            into.mark(HUGE);
            throw new TrackerException("the scan failed", null);
        }

        @Override
        public void close() {
            // nothing is held
        }
    }
}
