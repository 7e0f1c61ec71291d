package io.pageferry.core.precopy;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageEncoder;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.SentPages;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageSource;
import io.pageferry.core.memory.PagedMemory;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.memory.scan.DataRun;
import io.pageferry.core.round.PageSink;

/**
 * Encodes a part of each round into a sink of its own: the extents that are this lane's, {@link
 * #EXTENT_PAGES} pages each, dealt out in turn. So two lanes never handle pages of one word of a
 * bitmap, and share nothing that changes by the page or by the batch (docs/adr/0054).
 *
 * <p>A thread may drive it by {@link #doWork} beside the one that runs the rounds, which does all
 * else. It holds this object for one turn at a time, so that the other can stop it. Between {@link
 * #begin} and the end of what it has to encode the memory, the tables and the sink's part are its.
 */
public final class RoundLane implements AutoCloseable {
    /** Pages of an extent: 2 MiB, a whole number of a bitmap's words and of a region's pages. */
    public static final int EXTENT_PAGES = 512;

    /** Pages encoded in one turn of a thread of its own: what a lost link may have to wait for. */
    private static final int PAGES_A_TURN = 128;

    private final Tables tables;
    private final RegionTable regions;
    private final PageEncoder encoder;
    private final DataRun dataRun;
    private final int index;
    private int lanes = 1;
    private PageSink sink;
    private PageBatch open;
    private RoundCounter counter = new RoundCounter(-1, false, 0);
    private long cursor;
    private long digestChange;
    /** Written last in each turn: who reads it sees all that the turn wrote. */
    private volatile boolean encoded = true;
    private volatile boolean cutShort;
    private volatile long handled;
    private volatile Throwable failure;

    /** What all lanes of a migration work on. */
    record Tables(PageSource memory, DirtyBitmap dirty, DirtyBitmap targetNonZero,
            DirtyBitmap sentNonZero, ChecksumTable sent, SentPages observer) { }

    RoundLane(Tables tables, PageEncoder encoder, int index) {
        this.tables = tables;
        this.regions = tables.memory().regions();
        this.encoder = encoder;
        this.dataRun = new DataRun(tables.memory());
        this.index = index;
    }

    /** Says where its pages go, and how many lanes share the extents; before the first round. */
    void use(PageSink into, int ofLanes) {
        this.sink = into;
        this.lanes = ofLanes;
    }

    /** Returns whether a page is in one of this lane's extents. */
    boolean has(long page) {
        return page / EXTENT_PAGES % lanes == index;
    }

    synchronized void begin(RoundCounter ofRound) {
        counter = ofRound;
        dataRun.forget();
        cursor = 0;
        handled = 0;
        cutShort = false;
        encoder.roundBegins(ofRound.round() > 0);
        encoded = false;
    }

    /**
     * Encodes some pages, where a round has any left for it. For a thread of its own.
     *
     * @return how many; 0 when there is nothing to do at the moment
     */
    public int doWork() {
        if (encoded || failure != null) {
            return 0;
        }
        try {
            return step(PAGES_A_TURN);
        } catch (RuntimeException | Error e) {
            // Told where the rounds are run: a page that cannot be had ends the migration there.
            failure = e;
            return 0;
        }
    }

    /** Throws what ended this lane on another thread. */
    void requireNotFailed() {
        switch (failure) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case null, default -> { }
        }
    }

    /** Puts dirty pages of its extents into batches; returns how many it handled. */
    synchronized int step(int most) {
        if (encoded) {
            return 0;
        }
        int done = 0;
        dataRun.age();
        while (done < most) {
            long page = cutShort ? regions.pageCount() : nextPage();
            if (page == regions.pageCount()) {
                flush();
                cursor = page;
                encoded = true;
                break;
            }
            int sent = slotFor(page) ? encode(page, most - done) : 0;
            if (sent == 0) {
                break;
            }
            cursor = page + sent;
            done += sent;
        }
        handled = counter.handled();
        return done;
    }

    /** Returns where it goes on; for the one lane of a memory that answers later. */
    long cursor() {
        return cursor;
    }

    /** Returns whether every page of the round that is its was handed to the sink. */
    boolean isEncoded() {
        return encoded;
    }

    /** Ends the encoding early, in the next turn. */
    void cutShort() {
        cutShort = true;
    }

    /** Stops where it is, once the turn under way is over. */
    synchronized void stop() {
        cursor = regions.pageCount();
        encoded = true;
    }

    /** Stops, and takes back what was not acknowledged; returns its bytes on the wire. */
    synchronized long reclaim() {
        stop();
        if (open != null) {
            for (int i = 0; i < open.count(); i++) {
                takeBack(PageBatch.pageOf(open.descriptorAt(i)));
            }
            encoder.abandon(open);
            sink.abandon(open);
            open = null;
        }
        return sink.reclaim(this::takeBack);
    }

    private void takeBack(long page) {
        encoder.forget(page);
        tables.dirty().mark(page);
    }

    /** Sends a page whole ever after. */
    synchronized void distrust(long page) {
        encoder.distrust(page);
    }

    /** Returns pages in a batch that is not committed. */
    synchronized long uncommitted() {
        return open == null ? 0 : open.count();
    }

    /** Returns by how much the digest of all pages changed since it was last asked. */
    synchronized long takeDigestChange() {
        long change = digestChange;
        digestChange = 0;
        return change;
    }

    /** Returns pages handled of the round, as of the end of a turn. */
    long handled() {
        return handled;
    }

    synchronized void addTo(RoundCounter whole) {
        whole.add(counter);
    }

    synchronized void allow(boolean zstd, boolean deltas) {
        encoder.allow(zstd, deltas);
    }

    @Override
    public synchronized void close() {
        encoded = true;
        encoder.close();
    }

    private long nextPage() {
        long page = tables.dirty().nextMarked(cursor);
        while (page < regions.pageCount() && !has(page)) {
            long extent = page / EXTENT_PAGES;
            long ours = extent + Math.floorMod(index - extent, lanes);
            page = tables.dirty().nextMarked(Math.min(regions.pageCount(), ours * EXTENT_PAGES));
        }
        return page;
    }

    private boolean slotFor(long page) {
        int region = regions.regionOf(page);
        if (open != null && (open.region() != region || !open.hasRoom())) {
            flush();
        }
        if (open == null) {
            open = sink.claim();
            encoder.claimed(open != null, open == null && sink.isTargetBehind());
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
            tables.dirty().clear(page);
            note(page, encoder.encodeHole(page, open, !tables.targetNonZero().isMarked(page),
                    tables.observer()));
            return 1;
        }
        int count = runFrom(page, Math.min(most, open.room()));
        // Clear, then read: a write after this is in the tracker, not lost.
        tables.dirty().clearRange(page, count);
        int copied = encoder.copy(tables.memory(), page, count, open);
        tables.dirty().markRange(page + copied, count - copied);
        for (long at = page; at < page + copied; at++) {
            note(at, encoder.encode(at, open, !tables.targetNonZero().isMarked(at),
                    tables.observer()));
        }
        return copied;
    }

    private int runFrom(long page, int most) {
        long end = Math.min(regions.endPage(open.region()),
                page + Math.min(most, PagedMemory.RUN_PAGES));
        long at = page + 1;
        while (at < end && has(at) && tables.dirty().isMarked(at) && !dataRun.isHole(at)) {
            at++;
        }
        return (int) (at - page);
    }

    private void note(long page, long encodedPage) {
        if (encodedPage == PageEncoder.SKIPPED) {
            counter.skipped();
            return;
        }
        int codec = PageEncoder.codecOf(encodedPage);
        counter.sent(codec);
        if (codec != PageCodec.ZERO) {
            tables.targetNonZero().mark(page);
            tables.sentNonZero().mark(page);
        } else {
            tables.sentNonZero().clear(page);
        }
        digestChange += tables.sent().put(page, PageEncoder.checksumOf(encodedPage));
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
}
