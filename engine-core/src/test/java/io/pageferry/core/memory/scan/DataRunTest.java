package io.pageferry.core.memory.scan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

class DataRunTest {
    private static final int PAGES = 1 << 16;

    private final RoundVerified memory = new RoundVerified();
    private final DataRun run = new DataRun(memory);

    @Test
    void aLongRunIsNotWalkedAnewForEachPieceOfWork() {
        memory.data.set(0, PAGES);
        for (long page = 0; page < PAGES; page++) {
            if (page % 32 == 0) {
                run.age();
            }
            assertFalse(run.isHole(page));
        }
        assertTrue(memory.walked < 9L * PAGES, memory.walked + " pages walked for " + PAGES);
    }

    @Test
    void aHoleIsOldAtTheNextPieceOfWork() {
        memory.data.set(0, 10);
        assertTrue(run.isHole(20));
        memory.data.set(25);
        assertTrue(run.isHole(25), "what it remembers");
        run.age();
        assertFalse(run.isHole(25), "data must not be taken for zeros");
    }

    @Test
    void dataGrowsOldByUseAndEndsWithTheRound() {
        memory.data.set(0, 80);
        assertFalse(run.isHole(0));
        memory.data.clear(40, 60);
        run.age();
        assertFalse(run.isHole(50), "one in eighty is no eighth");
        run.forget();
        assertTrue(run.isHole(50));
        run.forget();
        for (long page = 60; page < 70; page++) {
            assertFalse(run.isHole(page));
        }
        memory.data.clear(70, 80);
        run.age();
        assertTrue(run.isHole(70), "more than an eighth was used");
    }

    @Test
    void findsEveryHole() {
        memory.data.set(3, 5);
        memory.data.set(PAGES - 1);
        for (long page = 0; page < PAGES; page++) {
            assertEquals(!memory.data.get((int) page), run.isHole(page), "page " + page);
        }
    }

    /** Pages without bytes, as dear to search as a tmpfs. */
    private static final class RoundVerified implements PagedMemory {
        private final BitSet data = new BitSet();
        private long walked;

        @Override
        public RegionTable regions() {
            return RegionTable.single("ram", PageGeometry.bytesOf(PAGES));
        }

        @Override
        public int read(long page, int count, MemorySegment into, long at) {
            throw new AssertionError("never read");
        }

        @Override
        public long nextData(long page) {
            int found = data.nextSetBit((int) page);
            return found < 0 ? PAGES : found;
        }

        @Override
        public long nextHole(long page) {
            long found = Math.min(PAGES, data.nextClearBit((int) page));
            walked += found - page;
            return found;
        }
    }
}
