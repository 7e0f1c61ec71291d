package io.pageferry.core.testing;

import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.MarkingTracker;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.round.WriteThrottle;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;

/**
 * A small guest with a processor of its own: a thread that counts, and writes each number into a
 * page that it draws. Open to be broken: whoever extends it breaks one rule.
 */
class LiveGuest implements Guest {
    static final int PAGES = 512;

    /** Pages that hold something; the rest is a hole. */
    static final int DATA = 448;

    /** Pages that are written. */
    private static final int HOT = 200;

    private static final long PAUSE_NANOS = 20_000;
    private static final int AT = 2048;

    private final Gate gate;
    private final Arena arena = Arena.ofShared();
    private final Board board = new Board();
    private final DirtyTracker tracker;
    private final LongConsumer marks;
    private final Random random;
    private final Thread processor;
    private long counter;
    private boolean running = true;
    private volatile boolean off;

    /** Makes one that marks its own writes. */
    LiveGuest(long seed) {
        this(seed, new Gate());
    }

    /** Makes one that is slowed down by a gate. */
    LiveGuest(long seed, Gate gate) {
        this(seed, gate, new MarkingTracker(PAGES));
    }

    private LiveGuest(long seed, Gate gate, MarkingTracker tracker) {
        this(seed, gate, tracker, tracker::mark);
    }

    /** Makes one with a tracker that is told by marks, after each write. */
    LiveGuest(long seed, Gate gate, DirtyTracker tracker, LongConsumer marks) {
        this.random = new Random(seed);
        this.gate = gate;
        this.tracker = tracker;
        this.marks = marks;
        for (int page = 0; page < DATA; page++) {
            write(page, page + 1L);
        }
        processor = Thread.ofPlatform().daemon().name("processor").start(this::execute);
    }

    private void execute() {
        while (!off) {
            gate.pass();
            slice();
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** What the processor does between two looks at whether it is to stand. */
    synchronized void slice() {
        if (running && !off) {
            step();
        }
    }

    final void step() {
        int page = random.nextInt(HOT);
        write(page, ++counter + DATA);
        marks.accept(page);
    }

    /** Writes and does not mark. */
    final void write(long page, long number) {
        int region = board.regions.regionOf(page);
        board.windows[region].set(ValueLayout.JAVA_LONG,
                board.regions.offsetInRegion(region, page) + AT, number);
    }

    @Override
    public GuestDescription describe() {
        return new GuestDescription("live", "guest", board.regions,
                PageGeometry.bytesOf(DATA), Map.of());
    }

    @Override
    public GuestMemory memory() {
        return board;
    }

    @Override
    public DirtyTracker tracker() {
        return tracker;
    }

    @Override
    public Optional<WriteThrottle> throttle() {
        return Optional.of(gate);
    }

    @Override
    public synchronized boolean isRunning() {
        return running;
    }

    @Override
    public Optional<String> ended() {
        return Optional.empty();
    }

    @Override
    public synchronized void pause() {
        running = false;
    }

    @Override
    public synchronized void saveState(OutputStream out) throws IOException {
        new DataOutputStream(out).writeLong(counter);
    }

    @Override
    public synchronized void resume() {
        running = true;
    }

    @Override
    public void end() {
        // It is paused.
    }

    @Override
    public void close() {
        if (off) {
            return;
        }
        off = true;
        try {
            processor.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        tracker.close();
        arena.close();
    }

    /** Its memory: two regions, with a hole at the end. */
    private final class Board implements GuestMemory {
        private final RegionTable regions = new RegionTable(List.of(
                new Region(0, "low", 0, PageGeometry.bytesOf(PAGES / 2), PageGeometry.PAGE_SIZE),
                new Region(1, "high", 1L << 32, PageGeometry.bytesOf(PAGES / 2),
                        PageGeometry.PAGE_SIZE)));
        private final MemorySegment[] windows = new MemorySegment[2];

        Board() {
            for (int i = 0; i < windows.length; i++) {
                windows[i] = arena.allocate(regions.region(i).size(), PageGeometry.PAGE_SIZE);
            }
        }

        @Override
        public RegionTable regions() {
            return regions;
        }

        @Override
        public MemorySegment window(int region) {
            return windows[region];
        }

        @Override
        public long nextData(long page) {
            return page < DATA ? page : PAGES;
        }

        @Override
        public long nextHole(long page) {
            return Math.max(page, DATA);
        }
    }

    /** Holds the processor for a millisecond before each write, once it is asked to. */
    static class Gate implements WriteThrottle {
        private static final long HOLD_NANOS = 1_000_000;

        private volatile int percent;
        private long stolen;

        final void pass() {
            if (percent > 0) {
                long start = System.nanoTime();
                hold();
                steal(System.nanoTime() - start);
            }
        }

        void hold() {
            LockSupport.parkNanos(HOLD_NANOS);
        }

        private synchronized void steal(long nanos) {
            stolen += nanos;
        }

        @Override
        public String name() {
            return "hold";
        }

        @Override
        public boolean hasQuota() {
            return false;
        }

        @Override
        public void set(int newPercent) {
            percent = newPercent;
        }

        @Override
        public void quota(Quota quota) {
            throw new UnsupportedOperationException();
        }

        @Override
        public synchronized long stolenNanos() {
            return stolen;
        }

        @Override
        public void close() {
            set(0);
        }
    }
}
