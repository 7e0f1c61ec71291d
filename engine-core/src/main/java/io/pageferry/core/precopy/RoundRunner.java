package io.pageferry.core.precopy;

import io.pageferry.core.codec.page.PageEncoder;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.MemoryMap.Cell;
import io.pageferry.core.dirty.MemoryMap;
import io.pageferry.core.dirty.SentPages;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.memory.scan.DataRun;
import io.pageferry.core.round.PageSink;
import io.pageferry.core.round.RoundStats;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Runs the rounds of one migration: asks the tracker, has dirty pages encoded into the sink's slots
 * by its lanes, remembers what was sent. It never waits: {@link #step} does what can be done now.
 * Confined to one thread, but for the lanes that were handed out; owns its bitmaps and table until
 * closed.
 *
 * <p>A page leaves the dirty set when it is put into a batch, and comes back by
 * {@link #reclaimDebt} unless the target acknowledged the batch.
 */
public final class RoundRunner implements AutoCloseable {
    private final PageSource memory;
    private final DirtyTracker tracker;
    private final RegionTable regions;
    private final DirtyBitmap dirty;
    private final DirtyBitmap targetNonZero;
    private final DirtyBitmap sentNonZero;
    private final ChecksumTable sent;
    private final Optional<GranuleFilter> filter;
    private final RateLimiter limiter;
    private final DamagedPages damaged;
    private final List<RoundLane> lanes;
    private final AskAhead ahead;
    private PageSink sink;
    private RoundCounter counter = new RoundCounter(-1, false, 0);
    /** Lanes that have a part of the sink: the first so many. */
    private int used = 1;
    /** Lanes that others drive: so many behind the first. */
    private int handedOut;

    /**
     * Makes a runner; nothing is tracked yet.
     *
     * @param memory   the guest's, stays the caller's
     * @param tracker  of the same pages, stays the caller's
     * @param encoders one for each lane, used by this runner alone, and closed with it
     * @param limiter  used by this runner alone
     */
    public RoundRunner(PageSource memory, DirtyTracker tracker, List<PageEncoder> encoders,
            RateLimiter limiter) {
        this.memory = memory;
        this.tracker = tracker;
        this.limiter = limiter;
        this.regions = memory.regions();
        this.dirty = new DirtyBitmap(regions.pageCount());
        this.targetNonZero = new DirtyBitmap(regions.pageCount());
        this.sentNonZero = new DirtyBitmap(regions.pageCount());
        this.sent = new ChecksumTable(regions.pageCount());
        this.damaged = new DamagedPages(regions);
        this.ahead = new AskAhead(memory, dirty);
        this.filter = GranuleFilter.between(memory, tracker);
        SentPages learns = tracker instanceof SentPages one ? one : SentPages.NONE;
        SentPages observer = filter.map(narrows -> learns == SentPages.NONE
                ? narrows : SentPages.both(learns, narrows)).orElse(learns);
        RoundLane.Tables tables = new RoundLane.Tables(memory, dirty, targetNonZero, sentNonZero,
                sent, observer);
        this.lanes = IntStream.range(0, encoders.size())
                .mapToObj(i -> new RoundLane(tables, encoders.get(i), i)).toList();
    }

    /**
     * Hands out lanes, to be driven by threads of the caller's from now on: they do nothing before
     * a round begins, and nothing at all where memory or sink serve one thread. The others are
     * driven by {@link #step}. A small guest, or a sink of few parts, has work for the first lanes
     * alone, so those behind the first are handed out first.
     *
     * @param most at most so many; never the first
     * @return those lanes, to be driven no more once this runner is closed
     */
    public List<RoundLane> handOut(int most) {
        handedOut = Math.min(most, lanes.size() - 1);
        return lanes.subList(1, 1 + handedOut);
    }

    /**
     * Arms the tracker, then takes every page that is not a hole as dirty. The order matters: a
     * page born between a look at the holes and the arming would be lost.
     *
     * @param into where the pages go
     * @throws TrackerException when tracking is not possible
     */
    public void start(PageSink into) throws TrackerException {
        this.sink = into;
        used = memory.readsFromAnyThread() ? lanesFor(into) : 1;
        for (int i = 0; i < used; i++) {
            lanes.get(i).use(limiter.over(into.lane(i, used)), used);
        }
        tracker.start();
        markData();
    }

    /** A lane without an extent would leave its channels idle. */
    private int lanesFor(PageSink into) {
        long extents = (regions.pageCount() - 1) / RoundLane.EXTENT_PAGES + 1;
        return (int) Math.min(extents, Math.min(lanes.size(), into.lanes()));
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
        // Of a round that was cut short a page may still be under way, read before this harvest.
        memory.forgetReads();
        ahead.begin();
        limiter.roundBegins(stopAndCopy);
        for (int i = 0; i < used; i++) {
            lanes.get(i).begin(counter.fresh());
        }
    }

    /**
     * Puts dirty pages into batches, by the lanes that were not handed out.
     *
     * @param most stop after so many for each of them
     * @return pages handled; 0 when the sink is full, the memory has the next page not yet, or
     *         the round is encoded
     */
    public int step(int most) {
        int handled = 0;
        ahead.ask(lanes.getFirst().cursor());
        for (int i = 0; i < used; i++) {
            lanes.get(i).requireNotFailed();
            if (i == 0 || i > handedOut) {
                handled += lanes.get(i).step(most);
            }
        }
        return handled;
    }

    /** {@return whether every page of the round was handed to the sink} */
    public boolean isEncoded() {
        return lanes.stream().limit(used).allMatch(RoundLane::isEncoded);
    }

    /** {@return whether the target acknowledged all that was handed to the sink} */
    public boolean isAcknowledged() {
        return sink.unacknowledged() == 0;
    }

    /**
     * Ends the encoding early: what is dirty still stays dirty for the next round. It has ended
     * once {@link #isEncoded}.
     */
    public void cutShort() {
        lanes.forEach(RoundLane::cutShort);
    }

    /**
     * Ends the round.
     *
     * @param nowNanos the clock
     * @return what it did
     */
    public RoundStats finish(long nowNanos) {
        RoundCounter whole = counter.fresh();
        for (int i = 0; i < used; i++) {
            lanes.get(i).stop();
            lanes.get(i).addTo(whole);
        }
        return whole.finish(nowNanos, sink.wireBytes());
    }

    /**
     * Takes every unacknowledged page back into the dirty set. Only once the link is gone.
     *
     * @return bytes on the wire of the batches taken back
     */
    public long reclaimDebt() {
        return lanes.stream().limit(used).mapToLong(RoundLane::reclaim).sum();
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
            lanes.stream().filter(lane -> lane.has(page)).forEach(lane -> lane.distrust(page));
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
        return dirty.count() + sink.unacknowledged()
                + lanes.stream().limit(used).mapToLong(RoundLane::uncommitted).sum();
    }

    /** {@return checksums of all pages as they were sent, for reading} */
    public ChecksumTable sent() {
        lanes.forEach(lane -> sent.changeDigest(lane.takeDigestChange()));
        return sent;
    }

    /** {@return what holds the pages back, for whatever else is to share their bandwidth} */
    public RateLimiter limiter() {
        return limiter;
    }

    /**
     * Returns which round this is and with how many dirty pages it began; what its lanes did of it
     * is in {@link #handled}, and in what {@link #finish} returns.
     *
     * @return of the last round that began; round −1 before the first
     */
    public RoundCounter counter() {
        return counter;
    }

    /** {@return pages of the round that were handled so far, as far as each lane has told} */
    public long handled() {
        return lanes.stream().limit(used).mapToLong(RoundLane::handled).sum();
    }

    /**
     * Allows codecs that the target has, too; see {@link PageEncoder#allow}.
     *
     * @param zstd   pages in blocks of zstd
     * @param deltas pages as what changed of them
     */
    public void allow(boolean zstd, boolean deltas) {
        lanes.forEach(lane -> lane.allow(zstd, deltas));
    }

    /**
     * Shows where the guest's memory is on its way. Takes a third of a millisecond for 64 GiB.
     *
     * @param verified whether the target has read all back that was sent
     * @return the map, of now
     */
    public MemoryMap map(boolean verified) {
        return MemoryMap.of(regions.pageCount(), (first, count) -> {
            if (dirty.countIn(first, count) > 0) {
                return dirty.meets(sentNonZero, first, count) ? Cell.HOT : Cell.DIRTY;
            }
            return sentNonZero.countIn(first, count) == 0 ? Cell.EMPTY
                    : verified ? Cell.VERIFIED : Cell.SENT;
        });
    }

    /** Frees bitmaps, table and encoders; tracker and sink stay as they are. Idempotent. */
    @Override
    public void close() {
        lanes.forEach(RoundLane::close);
        dirty.close();
        targetNonZero.close();
        sentNonZero.close();
        sent.close();
        filter.ifPresent(GranuleFilter::close);
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
