package io.pageferry.core.precopy;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageEncoder;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.SentPages;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.memory.scan.DataRun;
import io.pageferry.core.round.PageSink;
import io.pageferry.core.round.RoundStats;
import java.util.Optional;

/**
 * Runs the rounds of one migration: asks the tracker, encodes dirty pages into the sink's slots,
 * remembers what was sent. It never waits: {@link #step} does what can be done now. Confined to
 * one thread; owns its bitmaps and table until closed.
 *
 * <p>A page leaves the dirty set when it is put into a batch, and comes back by
 * {@link #reclaimDebt} unless the target acknowledged the batch.
 */
public final class RoundRunner implements AutoCloseable {
    private final PageSource memory;
    private final DirtyTracker tracker;
    private final PageEncoder encoder;
    private final RegionTable regions;
    private final DirtyBitmap dirty;
    private final DirtyBitmap targetNonZero;
    private final DirtyBitmap sentNonZero;
    private final DataRun dataRun;
    private final ChecksumTable sent;
    private final Optional<GranuleFilter> filter;
    private final SentPages sentPageObserver;
    private final RateLimiter limiter;
    private final DamagedPages damaged;
    private final AskAhead ahead;
    private PageSink sink;
    private PageBatch open;
    private RoundCounter counter = new RoundCounter(-1, false, 0);
    private long cursor;

    /**
     * Makes a runner; nothing is tracked yet.
     *
     * @param memory  the guest's, stays the caller's
     * @param tracker of the same pages, stays the caller's
     * @param encoder used by this runner alone, and closed with it
     * @param limiter   used by this runner alone
     */
    public RoundRunner(PageSource memory, DirtyTracker tracker, PageEncoder encoder,
            RateLimiter limiter) {
        this.memory = memory;
        this.tracker = tracker;
        this.encoder = encoder;
        this.limiter = limiter;
        this.regions = memory.regions();
        this.dirty = new DirtyBitmap(regions.pageCount());
        this.targetNonZero = new DirtyBitmap(regions.pageCount());
        this.sentNonZero = new DirtyBitmap(regions.pageCount());
        this.dataRun = new DataRun(memory);
        this.sent = new ChecksumTable(regions.pageCount());
        this.damaged = new DamagedPages(regions);
        this.ahead = new AskAhead(memory, dirty);
        this.filter = GranuleFilter.between(memory, tracker);
        SentPages learns = tracker instanceof SentPages one ? one : SentPages.NONE;
        this.sentPageObserver = filter.map(narrows -> learns == SentPages.NONE
                ? narrows : SentPages.both(learns, narrows)).orElse(learns);
    }

    /**
     * Arms the tracker, then takes every page that is not a hole as dirty. The order matters: a
     * page born between a look at the holes and the arming would be lost.
     *
     * @param into where the pages go
     * @throws TrackerException when tracking is not possible
     */
    public void start(PageSink into) throws TrackerException {
        this.sink = limiter.over(into);
        tracker.start();
        markData();
    }

    /**
     * Adds what was written since the last call to the dirty set; of huge pages, what differs from
     * what was sent. After a failed scan every page is dirty.
     *
     * @return pages dirty now
     */
    public long harvest() {
        harvest(tracker::harvest);
        return dirty.count();
    }

    private void harvest(GranuleFilter.Harvest harvest) {
        try {
            if (filter.isPresent()) {
                filter.get().harvest(harvest, dirty);
            } else {
                harvest.into(dirty);
            }
        } catch (TrackerException e) {
            markEverything();
        }
    }

    /**
     * The last harvest, of a guest that stands still. Compares the holes too: a page that was sent
     * with content and is a hole now (balloon, discard) was reported by no tracker and has to be
     * sent as zero.
     *
     * @return pages dirty now
     */
    public long harvestPaused() {
        harvest(tracker::harvestPaused);
        if (tracker.mayMissHoles()) {
            markNewHoles();
        }
        return dirty.count();
    }

    private void markNewHoles() {
        long end = regions.pageCount();
        long at = sentNonZero.nextMarked(0);
        while (at < end) {
            long data = memory.nextData(at);
            if (data > at) {
                for (; at < data; at = sentNonZero.nextMarked(at + 1)) {
                    dirty.mark(at);
                }
            } else {
                at = sentNonZero.nextMarked(memory.nextHole(at));
            }
        }
    }

    /**
     * Begins a round with the present dirty set.
     *
     * @param round       0 based
     * @param stopAndCopy whether the guest is paused
     * @param nowNanos    the clock
     */
    public void begin(long round, boolean stopAndCopy, long nowNanos) {
        counter = new RoundCounter(round, stopAndCopy, nowNanos);
        counter.began(dirty.count(), sink.wireBytes());
        dataRun.forget();
        // Of a round that was cut short a page may still be under way, read before this harvest.
        memory.forgetReads();
        ahead.begin();
        cursor = 0;
        limiter.roundBegins(stopAndCopy);
        encoder.roundBegins(round > 0);
    }

    /**
     * Puts dirty pages into batches.
     *
     * @param most stop after so many pages
     * @return pages handled; 0 when the sink is full, the memory has the next page not yet, or
     *         the round is encoded
     */
    public int step(int most) {
        int handled = 0;
        dataRun.age();
        ahead.ask(cursor);
        while (handled < most) {
            long page = dirty.nextMarked(cursor);
            if (page == regions.pageCount()) {
                flush();
                cursor = page;
                break;
            }
            int sent = slotFor(page) ? encode(page, most - handled) : 0;
            if (sent == 0) {
                break;
            }
            cursor = page + sent;
            handled += sent;
        }
        return handled;
    }

    /** {@return whether every page of the round was handed to the sink} */
    public boolean isEncoded() {
        return open == null && dirty.nextMarked(cursor) == regions.pageCount();
    }

    /** {@return whether the target acknowledged all that was handed to the sink} */
    public boolean isAcknowledged() {
        return sink.unacknowledged() == 0;
    }

    /** Ends the encoding early: what is dirty still stays dirty for the next round. */
    public void cutShort() {
        flush();
        cursor = regions.pageCount();
    }

    /**
     * Ends the round.
     *
     * @param nowNanos the clock
     * @return what it did
     */
    public RoundStats finish(long nowNanos) {
        return counter.finish(nowNanos, sink.wireBytes());
    }

    /**
     * Takes every unacknowledged page back into the dirty set. Only once the link is gone.
     *
     * @return bytes on the wire of the batches taken back
     */
    public long reclaimDebt() {
        if (open != null) {
            remark(open);
            encoder.abandon(open);
            sink.abandon(open);
            open = null;
        }
        return sink.reclaim(this::takeBack);
    }

    /**
     * Takes pages as dirty that arrived damaged.
     *
     * @param pages as the target named them, unchecked; one that is dirty already is not counted
     * @return why the migration cannot go on: a page was damaged too often; empty where it can
     */
    public Optional<String> sendAgain(long[] pages) {
        for (long page : pages) {
            boolean known = page >= 0 && page < regions.pageCount() && dirty.isMarked(page);
            Optional<String> end = known ? Optional.empty() : damaged.count(page);
            if (end.isPresent()) {
                return end;
            }
            encoder.distrust(page);
            dirty.mark(page);
        }
        return Optional.empty();
    }

    /** {@return whether a page is dirty: a further round has something to send} */
    public boolean isDirty() {
        return !dirty.isEmpty();
    }

    /** {@return dirty pages and pages in unacknowledged batches; 0 when all arrived} */
    public long left() {
        return dirty.count() + sink.unacknowledged() + (open == null ? 0 : open.count());
    }

    /** {@return checksums of all pages as they were sent, for reading} */
    public ChecksumTable sent() {
        return sent;
    }

    /** {@return what holds the pages back, for whatever else is to share their bandwidth} */
    public RateLimiter limiter() {
        return limiter;
    }

    /** {@return what the round has done so far; round −1 before the first} */
    public RoundCounter counter() {
        return counter;
    }

    /** {@return what encodes the pages} */
    public PageEncoder encoder() {
        return encoder;
    }

    /** Frees bitmaps, table and encoder; tracker and sink stay as they are. Idempotent. */
    @Override
    public void close() {
        encoder.close();
        dirty.close();
        targetNonZero.close();
        sentNonZero.close();
        sent.close();
        filter.ifPresent(GranuleFilter::close);
    }

    private boolean slotFor(long page) {
        int region = regions.regionOf(page);
        if (open != null && (open.region() != region || !open.hasRoom())) {
            flush();
        }
        if (open == null) {
            open = sink.claim();
            encoder.claimed(open != null);
            if (open == null) {
                return false;
            }
            open.begin(region, counter.round());
        }
        return true;
    }

    /**
     * Encodes the run of dirty pages that begins with one of them, as far as the batch has room and
     * no hole ends it. Returns how many; 0 when the memory has them not yet: they are dirty still.
     */
    private int encode(long page, int most) {
        // A page may be a hole since it was marked, and reading a hole would allocate it. The run
        // is younger than the harvest: a page born since is in the tracker.
        if (dataRun.isHole(page)) {
            dirty.clear(page);
            note(page, encoder.encodeHole(page, open, !targetNonZero.isMarked(page),
                    sentPageObserver));
            return 1;
        }
        int count = runFrom(page, Math.min(most, open.room()));
        // Clear, then read: a write after this is in the tracker, not lost.
        dirty.clearRange(page, count);
        int copied = encoder.copy(memory, page, count, open);
        dirty.markRange(page + copied, count - copied);
        for (long at = page; at < page + copied; at++) {
            note(at, encoder.encode(at, open, !targetNonZero.isMarked(at), sentPageObserver));
        }
        return copied;
    }

    private int runFrom(long page, int most) {
        long end = Math.min(regions.endPage(open.region()),
                page + Math.min(most, PagedMemory.RUN_PAGES));
        long at = page + 1;
        while (at < end && dirty.isMarked(at) && !dataRun.isHole(at)) {
            at++;
        }
        return (int) (at - page);
    }

    private void note(long page, long encoded) {
        if (encoded == PageEncoder.SKIPPED) {
            counter.skipped();
            return;
        }
        int codec = PageEncoder.codecOf(encoded);
        counter.sent(codec);
        if (codec != PageCodec.ZERO) {
            targetNonZero.mark(page);
            sentNonZero.mark(page);
        } else {
            sentNonZero.clear(page);
        }
        sent.set(page, PageEncoder.checksumOf(encoded));
    }

    private void flush() {
        if (open == null) {
            return;
        }
        if (open.count() == 0) {
            sink.abandon(open);
        } else {
            encoder.finish(open);
            sink.commit(open);
            encoder.committed(open, sink.unacknowledged());
        }
        open = null;
    }

    private void remark(PageBatch batch) {
        for (int i = 0; i < batch.count(); i++) {
            takeBack(PageBatch.pageOf(batch.descriptorAt(i)));
        }
    }

    private void takeBack(long page) {
        encoder.forget(page);
        dirty.mark(page);
    }

    private void markData() {
        DataRun.forEach(memory, dirty::markRange);
    }

    /** Every page, but holes not by reading them: those that the target holds as filled. */
    private void markEverything() {
        markData();
        targetNonZero.forEachRun(dirty::markRange);
    }
}
