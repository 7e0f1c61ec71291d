package io.pageferry.agent.host.disk.shared;

import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.MemorySegment;

/** The pages as one of several readers has them; its thread alone calls it. */
public final class SharedReader implements PageSource, AutoCloseable {
    private final SharedPages pages;
    // Guarded by the pages.
    private boolean begun;
    private boolean alone;
    private boolean closed;
    private long progressNanos;

    SharedReader(SharedPages pages, long now) {
        this.pages = pages;
        this.progressNanos = now;
    }

    boolean isAlone() {
        return alone;
    }

    boolean hasBegun() {
        return begun;
    }

    void begins() {
        begun = true;
    }

    void progressed(long now) {
        progressNanos = now;
    }

    long idleNanos(long now) {
        return now - progressNanos;
    }

    /** It reads for itself from now on. */
    void leave() {
        alone = true;
    }

    /** Returns whether it was open. */
    boolean end() {
        boolean before = closed;
        closed = true;
        return !before;
    }

    @Override
    public RegionTable regions() {
        return pages.regions();
    }

    @Override
    public boolean answersLater() {
        return true;
    }

    @Override
    public int ask(long page, int count) {
        return pages.ask(this, page, count);
    }

    @Override
    public int read(long page, int count, MemorySegment into, long at) {
        return pages.read(this, page, count, into, at);
    }

    /** Nobody writes to them: what was read for all stays what it is. */
    @Override
    public void forgetReads() {
        pages.passOver(this);
    }

    @Override
    public boolean readsHoles() {
        return pages.readsHoles();
    }

    @Override
    public long nextData(long page) {
        return pages.nextData(page);
    }

    @Override
    public long nextHole(long page) {
        return pages.nextHole(page);
    }

    /** Takes no more; the last one closes what all of them read. Idempotent; any thread. */
    @Override
    public void close() {
        pages.close(this);
    }
}
