package io.pageferry.agent.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * Follows the console of a guest that moves from QEMU to QEMU, and notes when each tick was
 * seen. Looks every 0.5 ms, which inotify would not beat, and costs some 5 % of a core; what
 * is measured is later than the print by that and by a turn of the scheduler.
 *
 * <p>One daemon thread follows; all methods may be called from any thread.
 */
public final class ConsoleFollower implements AutoCloseable {
    private static final long POLL_NANOS = 500_000;
    /** Nearly three hours of ticks; more are counted, not kept. */
    private static final int TICK_LIMIT = 1_000_000;
    private static final int LINE_LIMIT = 1_000;

    /**
     * A pause between two ticks, as seen from outside.
     *
     * @param nanos its length
     * @param before the tick that began it
     * @param atNanos System.nanoTime when that tick was seen
     */
    public record Silence(long nanos, long before, long atNanos) {
    }

    private final Path[] chain;
    private final FileChannel[] channels;
    private final ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
    private final ConsoleLine.Splitter splitter = new ConsoleLine.Splitter(this::line);
    private final Thread thread;
    private volatile boolean closed;

    // Guarded by this.
    private long[] seenAt = new long[4096];
    private long[] numbers = new long[4096];
    private int count;
    private ConsoleLine.Tick last = new ConsoleLine.Tick(0, 0, 0);
    private boolean ready;
    private final List<String> problems = new ArrayList<>();

    /**
     * Begins to follow.
     *
     * @param chain the consoles in the order of the hops; they need not exist yet
     */
    public ConsoleFollower(List<Path> chain) {
        this.chain = chain.toArray(new Path[0]);
        this.channels = new FileChannel[this.chain.length];
        this.thread = Thread.ofPlatform().daemon().name("console follower").unstarted(this::run);
        this.thread.start();
    }

    private void run() {
        try {
            while (!closed) {
                for (int i = 0; i < chain.length; i++) {
                    follow(i);
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            closeFiles();
        }
    }

    /** A guest that printed here prints no more where it came from: that comes first. */
    private void follow(int index) throws IOException {
        if (channels[index] == null) {
            if (!Files.exists(chain[index])) {
                return;
            }
            channels[index] = FileChannel.open(chain[index]);
        }
        if (channels[index].size() == channels[index].position()) {
            return;
        }
        for (int before = 0; before < index; before++) {
            if (channels[before] != null) {
                drain(channels[before]);
            }
        }
        drain(channels[index]);
    }

    private void drain(FileChannel channel) throws IOException {
        while (channel.read(buffer.clear()) > 0) {
            splitter.feed(buffer.array(), buffer.position());
        }
    }

    private synchronized void line(String text) {
        switch (ConsoleLine.parse(text)) {
            case ConsoleLine.Tick tick -> {
                note(tick.number());
                last = tick;
            }
            case ConsoleLine.Ready _ -> ready = true;
            case ConsoleLine.Problem problem -> {
                if (problems.size() < LINE_LIMIT) {
                    problems.add(problem.text());
                }
            }
            case ConsoleLine.Other _ -> {
                // Any other line of the kernel.
            }
        }
        notifyAll();
    }

    private void note(long number) {
        if (count == TICK_LIMIT) {
            return;
        }
        if (count == seenAt.length) {
            seenAt = Arrays.copyOf(seenAt, 2 * count);
            numbers = Arrays.copyOf(numbers, 2 * count);
        }
        seenAt[count] = System.nanoTime();
        numbers[count++] = number;
    }

    /** The last tick seen, number 0 before the first. */
    public synchronized ConsoleLine.Tick lastTick() {
        return last;
    }

    /** Whether the guest's working sets are filled. */
    public synchronized boolean ready() {
        return ready;
    }

    /** Panics, oopses and wrong pages so far. */
    public synchronized List<String> problems() {
        return List.copyOf(problems);
    }

    /**
     * Waits for something to be true of this follower; it is asked again after every line.
     *
     * @return false where the limit is over, or the calling thread was interrupted
     */
    public synchronized boolean await(Predicate<ConsoleFollower> condition, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.test(this)) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            try {
                wait(Math.max(1, left / 1_000_000));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }

    /** Waits for so many more ticks than there are now. */
    public boolean awaitTicks(long more, Duration limit) {
        long goal = lastTick().number() + more;
        return await(follower -> follower.lastTick().number() >= goal, limit);
    }

    /**
     * The longest time between two ticks that follow each other in the log.
     *
     * @param fromNanos System.nanoTime from which on, by the later tick
     * @return of no length where there are not two
     */
    public synchronized Silence longestSilence(long fromNanos) {
        Silence longest = new Silence(0, 0, fromNanos);
        for (int i = 1; i < count; i++) {
            long nanos = seenAt[i] - seenAt[i - 1];
            if (seenAt[i] - fromNanos >= 0 && nanos > longest.nanos()) {
                longest = new Silence(nanos, numbers[i - 1], seenAt[i - 1]);
            }
        }
        return longest;
    }

    /**
     * The time that followed a tick.
     *
     * @param tick its number
     * @return of no length where that tick or the next was not seen
     */
    public synchronized Silence silenceAfter(long tick) {
        for (int i = count - 1; i > 0; i--) {
            if (numbers[i - 1] == tick) {
                return new Silence(seenAt[i] - seenAt[i - 1], tick, seenAt[i - 1]);
            }
        }
        return new Silence(0, tick, 0);
    }

    /**
     * The lengths of all pauses between ticks in a stretch of time, sorted, in nanoseconds.
     *
     * @param fromNanos System.nanoTime, by the later tick
     * @param toNanos likewise
     */
    public synchronized long[] intervals(long fromNanos, long toNanos) {
        long[] all = new long[count];
        int used = 0;
        for (int i = 1; i < count; i++) {
            if (seenAt[i] - fromNanos >= 0 && seenAt[i] - toNanos <= 0) {
                all[used++] = seenAt[i] - seenAt[i - 1];
            }
        }
        long[] sorted = Arrays.copyOf(all, used);
        Arrays.sort(sorted);
        return sorted;
    }

    private void closeFiles() {
        for (FileChannel channel : channels) {
            if (channel != null) {
                try {
                    channel.close();
                } catch (IOException e) {
                    // Only read from.
                }
            }
        }
    }

    /** Stops to follow; what was seen stays. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
