package io.pageferry.agent.host.disk.shared;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * Pages that nobody writes to, for several readers that go through them in one order: whoever comes
 * first has a run read, and all take it from there. They stay within a window of each other: the
 * first waits for the last. A reader that took nothing for {@link #PATIENCE_NANOS} while others
 * wait for it goes on alone, as does one that goes back: it has what it wants read for itself.
 *
 * <p>Every method of this class and of its readers waits for no device. Safe for any threads.
 */
public final class SharedPages {
    /** Longest that a reader holds the others up. */
    static final long PATIENCE_NANOS = 30_000_000_000L;

    /** 32 MiB: some tenths of a second of a disk, by which readers may differ for free. */
    private static final int RUNS = 32;
    private static final int RUN_BYTES = 1 << 20;

    private final PageSource source;
    private final Runnable end;
    private final LongSupplier nanoTime;
    private final Arena arena = Arena.ofShared();
    private final List<SharedRun> runs = new ArrayList<>();
    private final List<SharedReader> readers = new ArrayList<>();
    /** Nothing behind it was read yet. */
    private long frontier;
    private int open;

    /**
     * Makes readers of some pages.
     *
     * @param source   gives them; used here alone from now on
     * @param count    of the readers
     * @param end      closes the source, behind the last reader
     * @param nanoTime monotonic clock
     */
    public SharedPages(PageSource source, int count, Runnable end, LongSupplier nanoTime) {
        this.source = source;
        this.end = end;
        this.nanoTime = nanoTime;
        this.open = count;
        for (int i = 0; i < RUNS; i++) {
            runs.add(new SharedRun(arena.allocate(RUN_BYTES, PageGeometry.PAGE_SIZE)));
        }
        for (int i = 0; i < count; i++) {
            readers.add(new SharedReader(this, nanoTime.getAsLong()));
        }
    }

    /** {@return the readers, each the caller's to close} */
    public List<SharedReader> readers() {
        return List.copyOf(readers);
    }

    RegionTable regions() {
        return source.regions();
    }

    boolean readsHoles() {
        return source.readsHoles();
    }

    synchronized long nextData(long page) {
        return source.nextData(page);
    }

    synchronized long nextHole(long page) {
        return source.nextHole(page);
    }

    synchronized int ask(SharedReader reader, long page, int count) {
        reader.begins();
        fill();
        Optional<SharedRun> there = find(reader, page);
        if (there.isPresent()) {
            return (int) Math.min(count, there.get().end() - page);
        }
        return isOwn(reader, page) ? source.ask(page, count) : begin(reader, page, count);
    }

    synchronized int read(SharedReader reader, long page, int count, MemorySegment into,
            long at) {
        reader.begins();
        fill();
        // What lies before it the reader passed over, or is going to read for itself.
        runs.stream().filter(run -> run.end() <= page)
                .forEach(run -> run.takers().remove(reader));
        Optional<SharedRun> there = find(reader, page);
        int given = PagedMemory.NOT_YET;
        if (there.isPresent()) {
            given = there.get().take(reader, page, count, into, at);
        } else if (isOwn(reader, page)) {
            given = source.read(page, count, into, at);
        } else {
            begin(reader, page, count);
        }
        if (given != PagedMemory.NOT_YET) {
            reader.progressed(nanoTime.getAsLong());
        }
        return given;
    }

    private boolean isOwn(SharedReader reader, long page) {
        return reader.isAlone() || page < frontier;
    }

    private Optional<SharedRun> find(SharedReader reader, long page) {
        return runs.stream().filter(run -> run.has(reader, page)).findFirst();
    }

    private Stream<SharedRun> waiting() {
        return runs.stream().filter(run -> !run.isFree())
                .sorted(Comparator.comparingLong(SharedRun::first));
    }

    /** In their order, as their source has few places for what was asked for. */
    private void fill() {
        waiting().forEach(run -> run.fill(source));
    }

    /** Has a run read for all; returns how much of it, 0 where there is no place for it now. */
    private int begin(SharedReader reader, long page, int count) {
        Optional<SharedRun> free = runs.stream().filter(SharedRun::isFree).findFirst();
        if (free.isEmpty()) {
            leaveBehind(reader);
            return 0;
        }
        int asked = source.ask(page, Math.min(count, RUN_BYTES / PageGeometry.PAGE_SIZE));
        if (asked > 0) {
            free.get().begin(page, asked, readers.stream().filter(one -> !one.isAlone()).toList());
            frontier = page + asked;
        }
        return asked;
    }

    /** Those that the others have waited for long enough. */
    private void leaveBehind(SharedReader first) {
        long now = nanoTime.getAsLong();
        waiting().findFirst().ifPresent(oldest -> List.copyOf(oldest.takers()).stream()
                .filter(one -> one != first && one.idleNanos(now) > PATIENCE_NANOS)
                .forEach(this::leave));
    }

    private void leave(SharedReader reader) {
        reader.leave();
        runs.forEach(run -> run.takers().remove(reader));
    }

    /** What it did not take it does not want, unless it has not begun. */
    synchronized void passOver(SharedReader reader) {
        if (reader.hasBegun()) {
            runs.forEach(run -> run.takers().remove(reader));
        }
    }

    void close(SharedReader reader) {
        synchronized (this) {
            if (!reader.end()) {
                return;
            }
            leave(reader);
            open--;
            if (open > 0) {
                return;
            }
        }
        end.run();
        arena.close();
    }
}
