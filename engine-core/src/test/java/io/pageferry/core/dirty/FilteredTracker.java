package io.pageferry.core.dirty;

import io.pageferry.core.memory.PageSource;
import io.pageferry.core.precopy.GranuleFilter;
import io.pageferry.core.testing.CoarseTracker;
import java.lang.foreign.MemorySegment;

/** A coarse tracker behind the filter that a round puts before it. */
final class FilteredTracker implements DirtyTracker, SentPages {
    private final CoarseTracker tracker;
    private final GranuleFilter filter;

    FilteredTracker(PageSource memory) {
        this.tracker = new CoarseTracker(memory.regions());
        this.filter = GranuleFilter.between(memory, tracker).orElseThrow();
    }

    void mark(long page) {
        tracker.mark(page);
    }

    @Override
    public String name() {
        return tracker.name();
    }

    @Override
    public void start() {
        tracker.start();
    }

    @Override
    public void harvest(DirtyBitmap into) throws TrackerException {
        filter.harvest(tracker::harvest, into);
    }

    @Override
    public void sent(long page, MemorySegment bytes, long at) {
        filter.sent(page, bytes, at);
    }

    @Override
    public void sentZero(long page) {
        filter.sentZero(page);
    }

    @Override
    public void close() {
        tracker.close();
        filter.close();
    }
}
