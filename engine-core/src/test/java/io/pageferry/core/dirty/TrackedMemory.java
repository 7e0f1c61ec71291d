package io.pageferry.core.dirty;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.TestMemory;
import io.pageferry.core.testing.tracker.TrackerContract;
import java.lang.foreign.MemorySegment;
import java.util.function.BiFunction;

/** Memory of two regions that a tracker of the core follows. */
final class TrackedMemory implements TrackerContract.Tracked {
    private static final int AT = 1040;

    private final TestMemory memory;
    private final DirtyTracker tracker;
    private final MemorySegment copy = MemorySegment.ofArray(new byte[PageGeometry.PAGE_SIZE]);

    TrackedMemory(RegionTable regions, BiFunction<TestMemory, Long, DirtyTracker> maker) {
        memory = new TestMemory(regions);
        for (long page = 0; page < regions.pageCount(); page++) {
            memory.write(page, new byte[PageGeometry.PAGE_SIZE]);
        }
        tracker = maker.apply(memory, regions.pageCount());
    }

    TestMemory memory() {
        return memory;
    }

    @Override
    public DirtyTracker tracker() {
        return tracker;
    }

    @Override
    public void write(long page, int number) {
        byte[] bytes = new byte[PageGeometry.PAGE_SIZE];
        MemorySegment.ofArray(bytes).set(JAVA_INT.withByteAlignment(1), AT, number);
        memory.write(page, bytes);
        if (tracker instanceof MarkingTracker marks) {
            marks.mark(page);
        } else if (tracker instanceof FilteredTracker filtered) {
            filtered.mark(page);
        }
    }

    @Override
    public void discardAndRead(long page) {
        memory.write(page, new byte[PageGeometry.PAGE_SIZE]);
        if (tracker instanceof MarkingTracker marks) {
            // Whoever marks its own writes marks this too.
            marks.mark(page);
        } else if (tracker instanceof FilteredTracker filtered) {
            filtered.mark(page);
        }
    }

    @Override
    public int send(long page) {
        MemorySegment.copy(MemorySegment.ofArray(memory.read(page)), 0, copy, 0,
                copy.byteSize());
        int number = copy.get(JAVA_INT.withByteAlignment(1), AT);
        if (tracker instanceof SentPages sentPageObserver) {
            if (number == 0) {
                sentPageObserver.sentZero(page);
            } else {
                sentPageObserver.sent(page, copy, 0);
            }
        }
        return number;
    }

    @Override
    public void close() {
        tracker.close();
        memory.close();
    }
}
