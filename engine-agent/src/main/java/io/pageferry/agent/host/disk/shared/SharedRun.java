package io.pageferry.agent.host.disk.shared;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;

/** A run that was asked for, in memory of its own, and who is still to take it. */
final class SharedRun {
    private final MemorySegment memory;
    private final Set<SharedReader> takers = new HashSet<>();
    private long first;
    private int count;
    private int filled;
    private UncheckedIOException failure;

    SharedRun(MemorySegment memory) {
        this.memory = memory;
    }

    /** Begins with a run that its source was asked for. */
    void begin(long page, int pages, Iterable<SharedReader> readers) {
        first = page;
        count = pages;
        filled = 0;
        failure = null;
        readers.forEach(takers::add);
    }

    boolean isFree() {
        return takers.isEmpty();
    }

    Set<SharedReader> takers() {
        return takers;
    }

    long first() {
        return first;
    }

    long end() {
        return first + count;
    }

    /** Returns whether a reader is still to take a page from it. */
    boolean has(SharedReader reader, long page) {
        return page >= first && page < end() && takers.contains(reader);
    }

    /** Has it filled with what the source has of it by now. */
    void fill(PageSource source) {
        while (failure == null && filled < count) {
            try {
                int got = source.read(first + filled, count - filled, memory,
                        PageGeometry.bytesOf(filled));
                if (got == PagedMemory.NOT_YET) {
                    return;
                }
                filled += got;
            } catch (UncheckedIOException e) {
                failure = e;
            }
        }
    }

    /** Gives pages, which are this reader's last of it where they are the last there are. */
    int take(SharedReader reader, long page, int most, MemorySegment into, long at) {
        int skipped = (int) (page - first);
        if (filled <= skipped) {
            if (failure != null) {
                takers.remove(reader);
                throw failure;
            }
            return PagedMemory.NOT_YET;
        }
        int given = Math.min(most, filled - skipped);
        MemorySegment.copy(memory, PageGeometry.bytesOf(skipped), into, at,
                PageGeometry.bytesOf(given));
        if (page + given == end()) {
            takers.remove(reader);
        }
        return given;
    }
}
