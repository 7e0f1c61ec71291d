package io.pageferry.core.testing;

import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.round.WriteThrottle;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * A guest at the source whose writer is stepped by the test between two turns of the engine. Each
 * write is made by the rules: write, then mark; a page that becomes a hole is reported by no
 * tracker. Saving its state writes a page, as a VM's devices do. A thread may have it
 * write while another migrates it; the rest is confined to one.
 */
public final class TestGuest implements Guest {
    private final EventLog log;
    private final Workload workload;
    private final TestMemory memory;
    private final CoarseTracker tracker;
    private final ArrayDeque<GuestException> resumeFailures = new ArrayDeque<>();
    private final Random random;
    private DirtyTracker shown;
    private GuestException resumeAlways;
    private GuestException pauseFailure;
    private IOException saveFailure;
    private GuestException endFailure;
    private WriteThrottle throttle;
    private boolean running = true;
    private boolean over;
    private String endedWhy;
    private long askedWhetherEnded;
    private GuestException change;
    private boolean resumedExternally;
    private GuestException storageFailure;
    private boolean storageWanted;
    private boolean storageReady;
    private boolean preparing;
    private GuestException keepFailure;
    private int statePadding;
    private int stateWrites = 1;
    private Optional<String> access = Optional.empty();

    /**
     * Makes a running guest that wrote nothing yet.
     *
     * @param regions its memory
     * @param seed    of all that it writes
     * @param log     receives {@code source.pause} and so on
     */
    public TestGuest(RegionTable regions, long seed, EventLog log) {
        this.log = log;
        this.random = new Random(seed);
        this.memory = new TestMemory(regions);
        this.workload = new Workload(seed, Math.toIntExact(regions.pageCount()));
        this.tracker = new CoarseTracker(regions);
        this.shown = tracker;
    }

    /**
     * Gives the guest a throttle.
     *
     * @param gate what the migration is to use
     */
    public void throttled(WriteThrottle gate) {
        throttle = gate;
    }

    /** Says by one word how its memory is reached. */
    public void reachedBy(String way) {
        access = Optional.of(way);
    }

    @Override
    public Optional<String> memoryAccess() {
        return access;
    }

    /**
     * Gives it disks that are to be copied.
     *
     * @param ready   whether they are at the target
     * @param failure why they never get there, or null
     */
    public void storage(boolean ready, GuestException failure) {
        storageWanted = true;
        storageReady = ready;
        storageFailure = failure;
    }

    /** Says whether it has something to do yet before it is paused. */
    public void preparing(boolean something) {
        preparing = something;
    }

    /**
     * Says how it does not stay paused.
     *
     * @param failure thrown each time, or null for nothing
     */
    public void failKeep(GuestException failure) {
        keepFailure = failure;
    }

    @Override
    public boolean readyToPause() {
        return !preparing;
    }

    @Override
    public void keepPaused() throws GuestException {
        log.add("source.keep");
        if (running) {
            throw new IllegalStateException("a running guest is to be granted");
        }
        if (keepFailure != null) {
            throw keepFailure;
        }
    }

    @Override
    public long features() {
        return storageWanted ? Message.FEATURE_STORAGE : 0;
    }

    @Override
    public boolean storageReady() throws GuestException {
        if (storageFailure != null) {
            throw storageFailure;
        }
        return !storageWanted || storageReady;
    }

    @Override
    public Optional<WriteThrottle> throttle() {
        return Optional.ofNullable(throttle);
    }

    /**
     * Writes some pages, each anywhere below a bound.
     *
     * @param writes how many
     * @param below  pages 0 … below − 1 are written
     */
    public synchronized void write(int writes, int below) {
        if (!running || over) {
            throw new IllegalStateException("a guest that does not run writes nothing");
        }
        for (int i = 0; i < writes; i++) {
            writePage(random.nextInt(below));
        }
    }

    /**
     * Gives one page its next version.
     *
     * @param page global index
     */
    public synchronized void writePage(int page) {
        workload.touch(page);
        if (workload.isHole(page)) {
            memory.punch(page);
        } else {
            memory.write(page, workload.content(page));
            tracker.mark(page);
        }
    }

    /**
     * Gives one page a version that is neither zero nor a hole.
     *
     * @param page global index
     */
    public synchronized void writeData(int page) {
        do {
            workload.touch(page);
        } while (workload.isZero(page));
        memory.write(page, workload.content(page));
        tracker.mark(page);
    }

    /**
     * Says how the next resumes fail, one each.
     *
     * @param failure thrown once
     */
    public void failResumeOnce(GuestException failure) {
        resumeFailures.add(failure);
    }

    /**
     * Says how every resume fails.
     *
     * @param failure thrown each time, or null to stop that
     */
    public void failResume(GuestException failure) {
        resumeAlways = failure;
    }

    /**
     * Says how every pause fails.
     *
     * @param failure thrown each time
     */
    public void failPause(GuestException failure) {
        pauseFailure = failure;
    }

    /**
     * Says how saving the state fails.
     *
     * @param failure thrown each time
     */
    public void failSave(IOException failure) {
        saveFailure = failure;
    }

    /**
     * Says how the end fails.
     *
     * @param failure thrown each time
     */
    public void failEnd(GuestException failure) {
        endFailure = failure;
    }

    /**
     * Puts another tracker before the real one.
     *
     * @param other what {@link #tracker} gives from now on
     */
    public void show(DirtyTracker other) {
        shown = other;
    }

    /**
     * Shapes the device state.
     *
     * @param padding bytes beyond the table of versions
     * @param writes  pages that saving dirties
     */
    public void stateTakes(int padding, int writes) {
        statePadding = padding;
        stateWrites = writes;
    }

    /**
     * Ends by itself.
     *
     * @param why as {@link #ended} will say
     */
    public void crash(String why) {
        running = false;
        over = true;
        endedWhy = why;
        log.add("source.crash");
    }

    /**
     * Is changed by somebody else.
     *
     * @param what as {@link #requireUnchanged} says from now on
     */
    public void change(GuestException what) {
        change = what;
    }

    /** {@return how often {@link #ended} was asked} */
    public long askedWhetherEnded() {
        return askedWhetherEnded;
    }

    /** Is let go by somebody else, though it is to stand still. */
    public void goOnByHand() {
        running = true;
        resumedExternally = true;
    }

    @Override
    public void requireUnchanged() throws GuestException {
        if (change != null) {
            throw change;
        }
    }

    @Override
    public boolean resumedExternally() {
        return resumedExternally;
    }

    /** Is paused by somebody else. */
    public synchronized void pauseByHand() {
        running = false;
    }

    /** {@return what every page holds now} */
    public Workload workload() {
        return workload;
    }

    @Override
    public TestMemory memory() {
        return memory;
    }

    @Override
    public GuestDescription describe() {
        return new GuestDescription("test", "guest", memory.regions(),
                PageGeometry.bytesOf(memory.dataPages()), Map.of());
    }

    @Override
    public DirtyTracker tracker() {
        return shown;
    }

    @Override
    public synchronized boolean isRunning() {
        return running;
    }

    @Override
    public Optional<String> ended() {
        askedWhetherEnded++;
        return Optional.ofNullable(endedWhy);
    }

    @Override
    public synchronized void pause() throws GuestException {
        log.add("source.pause");
        if (pauseFailure != null) {
            throw pauseFailure;
        }
        running = false;
        resumedExternally = false;
    }

    @Override
    public synchronized void saveState(OutputStream out) throws IOException {
        log.add("source.save");
        if (running) {
            throw new IllegalStateException("the state of a running guest was asked for");
        }
        if (saveFailure != null) {
            throw saveFailure;
        }
        for (int i = 0; i < stateWrites; i++) {
            writePage(random.nextInt(workload.pages()));
        }
        out.write(workload.save());
        byte[] padding = new byte[statePadding];
        random.nextBytes(padding);
        out.write(padding);
    }

    @Override
    public synchronized void resume() throws GuestException {
        GuestException failure = resumeAlways != null ? resumeAlways : resumeFailures.poll();
        if (over && failure == null) {
            failure = new GuestException(ErrorCode.GUEST_ENDED, "it is gone", "");
        }
        log.add(failure == null ? "source.resume" : "source.resume failed");
        if (failure != null) {
            throw failure;
        }
        running = true;
        resumedExternally = false;
    }

    @Override
    public synchronized void end() throws GuestException {
        log.add(endFailure == null ? "source.end" : "source.end failed");
        if (running) {
            throw new IllegalStateException("a running guest was ended");
        }
        if (endFailure != null) {
            throw endFailure;
        }
        over = true;
    }

    /** Frees its memory and its tracker. Idempotent. */
    @Override
    public void close() {
        memory.close();
        tracker.close();
    }
}
