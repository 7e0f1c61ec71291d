package io.pageferry.bench.hostile;

import io.pageferry.bench.ProcessMemory;
import io.pageferry.bench.link.ClientHello;
import io.pageferry.transport.wire.Preamble;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Connections to a target that prove nothing, made at an even pace on a thread of its own: silent
 * ones, slow ones, garbage, half-closed ones, TLS handshakes that stall, preambles with nothing
 * behind them. It also notes how much memory the target has meanwhile.
 */
final class Strangers implements AutoCloseable {
    /** Kept open here at most; the oldest are closed then. A target keeps far fewer. */
    private static final int OPEN = 2_000;
    private static final long STEP_NANOS = 5_000_000L;
    /** A slow one sends a byte as often as this. */
    private static final long SLOW_NANOS = 200_000_000L;
    private static final int GARBAGE_BYTES = 64;
    private static final long SEED = 20_261_129L;

    private final InetSocketAddress target;
    private final String process;
    private final double perNano;
    private final byte[] clientHello;
    private final SplittableRandom random = new SplittableRandom(SEED);
    private final Deque<SocketChannel> open = new ArrayDeque<>();
    private final List<SocketChannel> slow = new ArrayList<>();
    private final Thread thread;
    private volatile boolean over;
    private int made;
    private int failed;
    private long slowNanos;
    private long peakBytes;

    /**
     * Begins to connect.
     *
     * @param address of the target, HOST:PORT
     * @param pid     of the target
     * @param count   connections, 0 for none: then only the memory is noted
     * @param nanos   in which so many are made; then it goes on at that pace
     * @throws IOException when the JDK makes no ClientHello
     */
    Strangers(String address, long pid, int count, long nanos) throws IOException {
        int colon = address.lastIndexOf(':');
        this.target = new InetSocketAddress(address.substring(0, colon),
                Integer.parseInt(address.substring(colon + 1)));
        this.process = Long.toString(pid);
        this.perNano = (double) count / nanos;
        this.clientHello = ClientHello.bytes();
        this.thread = Thread.ofPlatform().daemon().name("strangers").start(this::run);
    }

    private void run() {
        long start = System.nanoTime();
        slowNanos = start;
        try {
            while (!over) {
                long now = System.nanoTime();
                while (made + failed < (now - start) * perNano) {
                    connect();
                }
                if (now - slowNanos >= SLOW_NANOS) {
                    slowNanos = now;
                    dawdle();
                    peakBytes = Math.max(peakBytes, residentBytes());
                }
                LockSupport.parkNanos(STEP_NANOS);
            }
        } finally {
            open.forEach(Strangers::close);
        }
    }

    private void connect() {
        try {
            SocketChannel one = SocketChannel.open(target);
            open.add(one);
            if (open.size() > OPEN) {
                close(open.removeFirst());
            }
            one.configureBlocking(false);
            harm(one, made++);
        } catch (IOException e) {
            failed++;
        }
    }

    /** All kinds in turn; of what it writes only so much arrives as the socket takes. */
    private void harm(SocketChannel one, int number) throws IOException {
        switch (number % 6) {
            case 0 -> { } // silent
            case 1 -> slow.add(one);
            case 2 -> {
                byte[] garbage = new byte[GARBAGE_BYTES];
                random.nextBytes(garbage);
                one.write(ByteBuffer.wrap(garbage));
            }
            case 3 -> one.shutdownOutput();
            case 4 -> one.write(ByteBuffer.wrap(clientHello));
            default -> one.write(Preamble.OURS.encode());
        }
    }

    private void dawdle() {
        slow.removeIf(one -> {
            try {
                return one.write(ByteBuffer.wrap(new byte[] {'P'})) < 0;
            } catch (IOException e) {
                return true; // it had to make way
            }
        });
    }

    private long residentBytes() {
        try {
            return ProcessMemory.anonymousBytes(process);
        } catch (IOException e) {
            return 0; // it has ended
        }
    }

    private static void close(SocketChannel one) {
        try {
            one.close();
        } catch (IOException e) {
            // It is gone.
            return;
        }
    }

    /** Returns how many were made; after {@link #close}. */
    int made() {
        return made;
    }

    /** Returns the most anonymous memory, in bytes, that was seen of the target; likewise. */
    long peakBytes() {
        return peakBytes;
    }

    /** Ends them all. */
    @Override
    public void close() throws IOException {
        over = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
