package io.pageferry.core.testing;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/**
 * Memory as a disk gives it: not mapped, a run at a time, and nothing at the first call. What was
 * asked for is read at once and handed out some calls later, so whoever takes an old answer for a
 * new one has stale bytes. It can be told to fail. Confined to one thread.
 */
public final class SlowMemory implements PageSource, PageStore {
    private static final int MOST_CALLS = 4;
    private static final int RUN = 8;

    private final PagedMemory real;
    private final Random random;
    private final MemorySegment asked = Arena.ofAuto().allocate(
            (long) RUN * PageGeometry.PAGE_SIZE, Long.BYTES);
    private long askedPage = -1;
    private int askedCount;
    private int callsLeft;
    private int flushesLeft;
    private long failsAfter = Long.MAX_VALUE;
    private long notYet;
    private int fullFor;
    private boolean full;
    private long overruns;
    private long wasFull;

    /**
     * Makes a slow way to memory.
     *
     * @param real what it reads, and writes where that is a {@link PageStore}
     * @param seed of how many calls each answer takes
     */
    public SlowMemory(PagedMemory real, long seed) {
        this.real = real;
        this.random = new Random(seed);
    }

    /**
     * Has it fail.
     *
     * @param calls reads and writes that still work
     * @return this
     */
    public SlowMemory failingAfter(long calls) {
        failsAfter = calls;
        return this;
    }

    /** {@return how often it answered "not yet"} */
    public long notYet() {
        return notYet;
    }

    /** {@return how often it had no room} */
    public long wasFull() {
        return wasFull;
    }

    /** {@return how often a page was put when it had said that it has no room} */
    public long overruns() {
        return overruns;
    }

    private void count(long page) {
        if (failsAfter-- <= 0) {
            throw new UncheckedIOException(new IOException("page " + page + ": I/O error"));
        }
    }

    @Override
    public RegionTable regions() {
        return real.regions();
    }

    @Override
    public int read(long page, int count, MemorySegment into, long at) {
        count(page);
        if (page != askedPage) {
            askedPage = page;
            askedCount = real.read(page, Math.min(count, RUN), asked, 0);
            callsLeft = random.nextInt(MOST_CALLS);
        }
        if (callsLeft-- > 0) {
            notYet++;
            return NOT_YET;
        }
        askedPage = -1;
        int given = Math.min(count, askedCount);
        MemorySegment.copy(asked, 0, into, at, PageGeometry.bytesOf(given));
        return given;
    }

    @Override
    public void forgetReads() {
        askedPage = -1;
    }

    @Override
    public long nextData(long page) {
        return real.nextData(page);
    }

    @Override
    public long nextHole(long page) {
        return real.nextHole(page);
    }

    @Override
    public boolean hasRoom() {
        full = fullFor-- > 0;
        wasFull += full ? 1 : 0;
        return !full;
    }

    @Override
    public void put(long page, int count, MemorySegment from, long at) {
        count(page);
        overruns += full ? 1 : 0;
        fullFor = random.nextInt(MOST_CALLS);
        forgetReads();
        flushesLeft = MOST_CALLS;
        ((PageStore) real).put(page, count, from, at);
    }

    @Override
    public void clear(long page, long count) {
        count(page);
        forgetReads();
        ((PageStore) real).clear(page, count);
    }

    @Override
    public boolean flush() {
        return flushesLeft-- <= 0 && ((PageStore) real).flush();
    }
}
