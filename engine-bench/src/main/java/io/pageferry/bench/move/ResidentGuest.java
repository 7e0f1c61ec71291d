package io.pageferry.bench.move;

import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.MarkingTracker;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.migration.Guest;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/** A guest over memory that outlives it; one thread writes at a rate, or none. */
final class ResidentGuest implements Guest {
    private static final long SEED = 11;
    private static final byte[] STATE = new byte[4096];
    private static final long STEP_NANOS = 1_000_000;

    private final ResidentMemory memory;
    private final MarkingTracker tracker;
    private final long pagesPerSecond;
    private final Thread writer;
    private volatile boolean running = true;
    private volatile boolean resting;
    private volatile boolean closed;

    /**
     * Makes it; the writer runs at once.
     *
     * @param bytesPerSecond written in whole pages; 0 for no writer
     */
    ResidentGuest(ResidentMemory memory, long bytesPerSecond) {
        this.memory = memory;
        this.tracker = new MarkingTracker(memory.regions().regions().pageCount());
        this.pagesPerSecond = bytesPerSecond / PageGeometry.PAGE_SIZE;
        this.writer = Thread.ofPlatform().daemon().name("bench-writer").unstarted(this::write);
        if (pagesPerSecond > 0) {
            writer.start();
        } else {
            resting = true;
        }
    }

    private void write() {
        SplittableRandom random = new SplittableRandom(SEED);
        long pages = memory.regions().regions().pageCount();
        long begun = System.nanoTime();
        long written = 0;
        while (!closed) {
            resting = !running;
            if (resting) {
                begun = System.nanoTime();
                written = 0;
            }
            long due = (long) ((System.nanoTime() - begun) / 1e9 * pagesPerSecond);
            for (; written < due && running; written++) {
                long page = random.nextLong(pages);
                memory.touch(page, (byte) written);
                tracker.mark(page);
            }
            LockSupport.parkNanos(STEP_NANOS);
        }
        resting = true;
    }

    @Override
    public GuestDescription describe() {
        return new GuestDescription("bench", "resident", memory.regions().regions(),
                memory.regions().dataBytes(), Map.of());
    }

    @Override
    public GuestMemory memory() {
        return memory.regions();
    }

    @Override
    public DirtyTracker tracker() {
        return tracker;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public Optional<String> ended() {
        return Optional.empty();
    }

    @Override
    public void pause() {
        running = false;
        LockSupport.unpark(writer);
        while (!resting) {
            Thread.onSpinWait();
        }
    }

    @Override
    public void saveState(OutputStream out) throws IOException {
        out.write(STATE);
    }

    @Override
    public void resume() {
        running = true;
    }

    @Override
    public void end() {
        running = false;
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(writer);
        while (!resting) {
            Thread.onSpinWait();
        }
        tracker.close();
    }
}
