package io.pageferry.agent.host.disk.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Readers that are as fast as each other, and readers that are not. */
class SharedPagesTest {
    private static final int RUN = 256;
    /** More runs than the readers may differ by. */
    private static final int PAGES = 40 * RUN;
    private static final RegionTable REGIONS = new RegionTable(List.of(new Region(0,
            Region.Kind.DISK, "disk0", 0, PageGeometry.bytesOf(PAGES), PageGeometry.PAGE_SIZE)));

    private final AtomicLong now = new AtomicLong();
    private final Numbers numbers = new Numbers();
    private final SharedPages pages = new SharedPages(numbers, 3, () -> numbers.ended = true,
            now::get);
    private final List<SharedReader> readers = pages.readers();
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment page = arena.allocate(PageGeometry.PAGE_SIZE);

    /** Each page begins with its number. */
    private static final class Numbers implements PageSource {
        private long read;
        private long bad = -1;
        private boolean ended;

        @Override
        public RegionTable regions() {
            return REGIONS;
        }

        @Override
        public int ask(long page, int count) {
            return count;
        }

        @Override
        public int read(long page, int count, MemorySegment into, long at) {
            if (page == bad) {
                throw new UncheckedIOException(new IOException("bad"));
            }
            into.set(ValueLayout.JAVA_LONG, at, page);
            read++;
            return 1;
        }

        @Override
        public long nextData(long page) {
            return page;
        }

        @Override
        public long nextHole(long page) {
            return PAGES;
        }
    }

    @AfterEach
    void close() {
        readers.forEach(SharedReader::close);
        assertTrue(numbers.ended);
        arena.close();
    }

    /** Reads on as the engine does; returns where no page is there yet. */
    private long read(SharedReader reader, long from, long to) {
        for (long at = from; at < to; at++) {
            for (long ahead = at; ahead < Math.min(to, at + 3 * RUN); ahead += RUN) {
                if (reader.ask(ahead, (int) Math.min(RUN, to - ahead)) == 0) {
                    break;
                }
            }
            if (reader.read(at, 1, page, 0) == PagedMemory.NOT_YET
                    && reader.read(at, 1, page, 0) == PagedMemory.NOT_YET) {
                return at;
            }
            assertEquals(at, page.get(ValueLayout.JAVA_LONG, 0));
        }
        return to;
    }

    @Test
    void eachPageIsReadOnceForAll() {
        for (long at = 0; at < PAGES; at += RUN) {
            for (SharedReader reader : readers) {
                assertEquals(at + RUN, read(reader, at, at + RUN));
            }
        }
        assertEquals(PAGES, numbers.read);
    }

    @Test
    void theFirstWaitsForTheLastButNotForever() {
        readers.get(1).close();
        long window = read(readers.get(0), 0, PAGES);
        assertTrue(window < PAGES, "nobody waited");
        now.addAndGet(SharedPages.PATIENCE_NANOS);
        assertEquals(window, read(readers.get(0), window, PAGES));
        now.incrementAndGet();
        assertEquals(PAGES, read(readers.get(0), window, PAGES));
        // The one that was left behind reads all of it for itself.
        long before = numbers.read;
        assertEquals(PAGES, read(readers.get(2), 0, PAGES));
        assertEquals(PAGES, numbers.read - before);
    }

    @Test
    void oneThatIsGoneHoldsNobodyUp() {
        long window = read(readers.get(0), 0, PAGES);
        readers.get(1).close();
        readers.get(2).close();
        assertEquals(PAGES, read(readers.get(0), window, PAGES));
        assertEquals(PAGES, numbers.read);
        assertFalse(numbers.ended);
    }

    @Test
    void whoGoesBackReadsForItselfAndHasTheRestWithTheOthers() {
        for (SharedReader reader : readers) {
            assertEquals(RUN, read(reader, 0, RUN));
        }
        readers.get(0).forgetReads();
        assertEquals(10, read(readers.get(0), 5, 10));
        assertEquals(RUN + 5, numbers.read);
        for (SharedReader reader : readers) {
            assertEquals(2 * RUN, read(reader, RUN, 2 * RUN));
        }
        assertEquals(2 * RUN + 5, numbers.read);
    }

    /** As where it had them already, when a link that was lost is there again. */
    @Test
    void whatOnePassesOverHoldsNobodyUp() {
        readers.get(2).close();
        long window = read(readers.get(0), 0, PAGES);
        assertTrue(window < PAGES, "nobody waited");
        assertEquals(window, read(readers.get(1), window - RUN, window));
        assertEquals(PAGES, read(readers.get(0), window, PAGES));
    }

    @Test
    void whatCannotBeReadFailsForAll() {
        numbers.bad = 7;
        for (SharedReader reader : readers) {
            assertThrows(UncheckedIOException.class, () -> read(reader, 0, RUN));
        }
    }
}
