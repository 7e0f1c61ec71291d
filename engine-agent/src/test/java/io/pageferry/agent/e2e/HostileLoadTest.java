package io.pageferry.agent.e2e;

import io.pageferry.core.link.Message;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.Preamble;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A move beside peers that mean harm: it gets there, and they get nothing. */
class HostileLoadTest extends WithRig {
    /** On a slow machine as many as come in 100 s, but so many that all limits are reached. */
    private static final int MOST = 3_000;
    private static final int LEAST = 600;
    private static final long ATTACK_NANOS = 100_000_000_000L;
    private static final int AT_ONCE = 150;
    private static final int THREADS = 2;

    /** What is tested is that they keep nobody out, and not how many processors there are. */
    private static final long PAUSE_NANOS = 2_000_000;
    /** A command that has just started needs some ten times as long as an answer takes here. */
    private static final int ANSWERS = 8;

    private final AtomicInteger made = new AtomicInteger();
    private final List<Thread> peers = new ArrayList<>();
    private volatile boolean over;
    private long pauseNanos;

    @AfterEach
    void end() throws InterruptedException {
        over = true;
        for (Thread peer : peers) {
            peer.join();
        }
    }

    @Test
    void thousandsOfConnectionsBesideAMoveDoNotStopIt() throws IOException {
        Agent target = receive("image:" + folder.resolve("image"));
        String[] address = target.address().split(":");
        InetSocketAddress port =
                new InetSocketAddress(address[0], Integer.parseInt(address[1]));
        pauseNanos = Math.max(PAUSE_NANOS, THREADS * longestAnswer(port) / ANSWERS);
        long wanted = Math.clamp(ATTACK_NANOS / pauseNanos * THREADS, LEAST, MOST);
        System.out.println(wanted + " connections, each " + pauseNanos / 1000 + " µs");
        Random seeds = Draw.random();
        for (int i = 0; i < THREADS; i++) {
            long seed = seeds.nextLong();
            peers.add(Thread.ofPlatform().start(() -> attack(port, new Random(seed))));
        }
        // They are at it before the source comes, and until it has gone.
        Poll.until(() -> made.get() > wanted / 4, () -> "only " + made.get() + " came");
        Agent source = rig.start("round 0", List.of("migrate", "workload:64MiB?rate=4MiB/s",
                "--to", target.address(), "--linger", "0s"));
        source.awaitHold("round 0");
        Poll.until(() -> made.get() > wanted, () -> "only " + made.get() + " came");
        source.goOn();
        E2e.assertMoved(source, target);
    }

    /**
     * Whoever has proved nothing yet makes way for a newer connection of its address, so on a
     * machine that is slow at this moment it is given the time to prove it.
     */
    private static long longestAnswer(InetSocketAddress port) throws IOException {
        long longest = 0;
        for (int i = 0; i < ANSWERS; i++) {
            long began = System.nanoTime();
            try (Socket one = new Socket()) {
                one.connect(port, 30_000);
                write(one, Preamble.OURS.encode().array());
                write(one, MessageCodec.encode(new Message.Status(UUID.randomUUID(), 1)));
                one.getInputStream().read();
            }
            longest = Math.max(longest, System.nanoTime() - began);
        }
        return longest;
    }

    /** Some are left open, in the end the oldest of them closed here. */
    private void attack(InetSocketAddress port, Random random) {
        List<Socket> open = new ArrayList<>();
        try {
            while (!over) {
                Socket one = new Socket();
                open.add(one);
                one.connect(port, 30_000);
                made.incrementAndGet();
                harm(one, random);
                LockSupport.parkNanos(pauseNanos);
                if (open.size() > AT_ONCE) {
                    open.removeFirst().close();
                }
            }
        } catch (IOException e) {
            // The target has ended; too early, and the test misses connections.
            return;
        } finally {
            open.forEach(HostileLoadTest::close);
        }
    }

    private static void harm(Socket peer, Random random) {
        try {
            switch (random.nextInt(6)) {
                case 0 -> { } // silent
                case 1 -> write(peer, bytes(random, 64));
                case 2 -> peer.shutdownOutput();
                case 3 -> write(peer, Preamble.OURS.encode().array()); // and then silent
                case 4 -> {
                    write(peer, Preamble.OURS.encode().array());
                    write(peer, MessageCodec.encode(new Message.ChannelHello(UUID.randomUUID(),
                            1, 0)));
                }
                default -> {
                    write(peer, Preamble.OURS.encode().array());
                    write(peer, MessageCodec.encode(new Message.Status(UUID.randomUUID(), 1)));
                }
            }
        } catch (IOException e) {
            // It made way, or was refused while it wrote.
            return;
        }
    }

    private static byte[] bytes(Random random, int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    private static void write(Socket peer, byte[] bytes) throws IOException {
        peer.getOutputStream().write(bytes);
        peer.getOutputStream().flush();
    }

    private static void close(Socket one) {
        try {
            one.close();
        } catch (IOException e) {
            // Nothing is left of it.
            return;
        }
    }
}
