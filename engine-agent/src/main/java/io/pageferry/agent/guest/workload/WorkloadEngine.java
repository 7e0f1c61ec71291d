package io.pageferry.agent.guest.workload;

import io.pageferry.agent.host.process.Threads;
import io.pageferry.core.memory.PageGeometry;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.StampedLock;

/**
 * The running part of an embedded guest: one thread that ticks and, where a rate was asked for, one
 * that writes. Both look at a gate between two steps; {@link #pause} closes it and returns when
 * both stand.
 */
final class WorkloadEngine implements AutoCloseable {
    /** Time between two ticks. */
    private static final long TICK_NANOS = 1_000_000L;

    /** The writer's time slice: what a slice owes is written at once. */
    private static final long SLICE_NANOS = 1_000_000L;

    private static final int STATE_MAGIC = 0x50464C44;
    private static final Duration JOIN = Duration.ofSeconds(5);

    private final StampedMemory memory;
    private final long pagesPerSecond;
    private final StampedLock gate = new StampedLock();
    private final WriteGate writeGate = new WriteGate(System::nanoTime);
    private final AtomicLong failures = new AtomicLong();
    private long closedGate;
    private SplittableRandom random;
    /** What the random numbers go on from, null once one was drawn. */
    private Long savedSeed;
    private long writes;
    private long ticksHere;
    private volatile boolean ending;
    private Thread ticker;
    private Thread writer;

    WorkloadEngine(StampedMemory memory, WorkloadSpec spec, long seed) {
        this.memory = memory;
        this.pagesPerSecond = PageGeometry.pagesFor(spec.bytesPerSecond());
        this.random = new SplittableRandom(seed);
        this.closedGate = gate.writeLock();
    }

    /** Starts the threads at an open gate. */
    void start() {
        resume();
        ticker = Thread.ofPlatform().daemon().name("workload-tick").start(this::tickLoop);
        if (pagesPerSecond > 0) {
            writer = Thread.ofPlatform().daemon().name("workload-writer").start(this::writeLoop);
        }
    }

    /** Whether it stands. */
    boolean isPaused() {
        return closedGate != 0;
    }

    /** Closes the gate; every thread stands when it returns. Without effect on one that stands. */
    void pause() {
        if (closedGate == 0) {
            closedGate = gate.writeLock();
        }
    }

    /** Opens the gate. Without effect on one that runs. */
    void resume() {
        if (closedGate != 0) {
            gate.unlockWrite(closedGate);
            closedGate = 0;
        }
    }

    /** What slows the writer down; the tick goes on. */
    WriteGate writeGate() {
        return writeGate;
    }

    /** Ticks that were counted in this process. */
    long ticksHere() {
        return ticksHere;
    }

    /** Wrong pages that the writer came upon. */
    long failures() {
        return failures.get();
    }

    /** Writes what is not in memory; paused. Twice without a run between is twice the same. */
    void save(DataOutputStream out) throws IOException {
        if (savedSeed == null) {
            savedSeed = random.nextLong();
            random = new SplittableRandom(savedSeed);
        }
        out.writeInt(STATE_MAGIC);
        out.writeLong(memory.tick());
        out.writeLong(writes);
        out.writeLong(savedSeed);
        out.writeLong(failures.get());
    }

    /** Reads back; returns the tick of the source. */
    long load(DataInputStream in) throws IOException {
        if (in.readInt() != STATE_MAGIC) {
            throw new IOException("this is no state of a workload");
        }
        long tick = in.readLong();
        writes = in.readLong();
        long seed = in.readLong();
        random = new SplittableRandom(seed);
        failures.set(in.readLong());
        return tick;
    }

    /** Ends the threads, which stand or run. */
    @Override
    public void close() {
        ending = true;
        resume();
        for (Thread thread : new Thread[] {ticker, writer}) {
            if (thread != null) {
                Threads.join(thread, JOIN);
            }
        }
    }

    private void tickLoop() {
        long next = System.nanoTime();
        while (!ending) {
            long stamp = gate.readLock();
            try {
                // Once it ended nothing is lived any more: what was paused stays what it was.
                if (!ending) {
                    memory.tick(memory.tick() + 1);
                    ticksHere++;
                }
            } finally {
                gate.unlockRead(stamp);
            }
            next = Math.max(next + TICK_NANOS, System.nanoTime());
            LockSupport.parkNanos(next - System.nanoTime());
        }
    }

    private void writeLoop() {
        long start = System.nanoTime();
        double owed = 0;
        while (!ending) {
            // Not under the lock: a writer that is held back must not keep a pause waiting.
            long held = writeGate.pass(owed >= 1, () -> ending);
            long stamp = gate.readLock();
            try {
                long most = writeGate.allowance();
                long wrote = 0;
                for (; owed >= 1 && wrote < most && !ending; owed--) {
                    writeOne();
                    wrote++;
                }
                writeGate.wrote(wrote);
            } finally {
                gate.unlockRead(stamp);
            }
            if (owed < 1) {
                LockSupport.parkNanos(SLICE_NANOS);
            }
            long now = System.nanoTime();
            // Time that it was held is not made up for, nor that the gate was closed: at most ten
            // slices are owed.
            double slice = Math.clamp(now - start - held, 0, 10 * SLICE_NANOS);
            owed += slice * pagesPerSecond / 1e9;
            start = now;
        }
    }

    private void writeOne() {
        savedSeed = null;
        long page = random.nextLong(memory.firstDataPage(), memory.pageCount());
        if (!memory.rewrite(page)) {
            failures.incrementAndGet();
        }
        writes++;
    }
}
