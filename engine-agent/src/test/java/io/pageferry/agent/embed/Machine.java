package io.pageferry.agent.embed;

import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.MarkingTracker;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.GuestMemory;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.migration.Guest;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.Optional;

/**
 * An embedder's machine at the source. One processor, a thread, counts in its register and writes
 * each number into the next page.
 */
final class Machine implements Guest {
    static final String KIND = "machine";

    private final PlainMemory board;
    private final MarkingTracker tracker;
    private final Thread processor;
    private long counter;
    private boolean running = true;
    private boolean off;
    private int ends;

    Machine(PlainMemory board) {
        this.board = board;
        this.tracker = new MarkingTracker(board.regions().pageCount());
        this.processor = Thread.ofPlatform().daemon().name("processor").start(this::execute);
    }

    private void execute() {
        while (step()) {
            Thread.yield();
        }
    }

    private synchronized boolean step() {
        if (running && !off) {
            counter++;
            long page = counter % board.regions().pageCount();
            board.window(0).set(ValueLayout.JAVA_LONG, PageGeometry.bytesOf(page), counter);
            tracker.mark(page);
        }
        return !off;
    }

    /** {@return the register} */
    synchronized long counter() {
        return counter;
    }

    /** {@return how often it was told that another host owns it} */
    synchronized int ends() {
        return ends;
    }

    @Override
    public GuestDescription describe() {
        return new GuestDescription(KIND, "m1", board.regions(), board.regions().totalBytes(),
                Map.of());
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
    public synchronized void end() {
        ends++;
    }

    @Override
    public void close() {
        synchronized (this) {
            off = true;
        }
        try {
            processor.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        tracker.close();
    }
}
