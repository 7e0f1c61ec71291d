package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Stranger;
import java.io.IOException;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** A memcached under load becomes an image, on which another one has every key. */
class MemcachedMoveTest extends WithRig {
    private static final String PROGRAM = "/usr/bin/memcached";
    private static final int KEYS = 10_000;
    /** The machine has other things to do, too. */
    private static final long PAUSE_NANOS = 100_000;
    private static final long SEED = 11_211;

    @Test
    void anotherOneHasEveryKey() throws IOException, InterruptedException {
        E2e.needTracking();
        Assumptions.assumeTrue(Files.isExecutable(Path.of(PROGRAM)), "no memcached here");
        Path memory = Files.createTempFile(Path.of("/dev/shm"), "pageferry-test-", "");
        Path meta = Path.of(memory + ".meta");
        Path image = folder.resolve("image");
        try (Stranger first = start(memory, "first"); MemcachedClient client = client("first")) {
            client.fill(KEYS);
            AtomicLong done = new AtomicLong();
            Thread load = Thread.ofPlatform().daemon().start(() -> load(client, done));
            Agent source = move(first, done, image);
            List<Path> groups = Frozen.groups(first.pid());
            try {
                assertEquals(-1, Files.mismatch(memory, image), source::toString);
                assertTrue(Processes.isAlive(first.pid()));
                // The documented way: it writes the file when it is let go.
                shell("kill -USR1 " + first.pid() + "; " + Frozen.line(source));
                Poll.until(() -> !Processes.isAlive(first.pid()), () -> "it does not end");
            } finally {
                Frozen.cleanUp(groups);
            }
            load.join();
            Files.copy(meta, folder.resolve("image.meta"));
            // Its clock is ahead of ours, and it refuses to begin before the other one ended.
            long ended = stopTime(meta);
            Poll.until(() -> System.currentTimeMillis() / 1000 > ended, () -> "too early");
        } finally {
            Files.deleteIfExists(memory);
            Files.deleteIfExists(meta);
        }
        try (Stranger second = start(image, "second"); MemcachedClient client = client("second")) {
            for (int key = 0; key < KEYS; key++) {
                assertTrue(client.has(key), "key " + key + " is lost");
            }
            assertTrue(Processes.isAlive(second.pid()));
        }
    }

    private Agent move(Stranger first, AtomicLong done, Path image) throws IOException {
        Agent target = receive("image:" + image);
        // The load goes on while it is asked and while it moves.
        long before = done.get();
        Agent source = migrate("process:" + first.pid(), target.address());
        E2e.assertMoved(source, target);
        assertTrue(done.get() > before + 100, () -> "only " + (done.get() - before)
                + " requests meanwhile");
        long written = 0;
        for (var round : source.report().path("rounds")) {
            written += round.path("round").asLong() > 0 ? round.path("sentPages").asLong() : 0;
        }
        assertTrue(written > 0, () -> "nothing was written while it moved: " + source);
        return source;
    }

    private Stranger start(Path memory, String socket) throws IOException {
        Stranger started = Stranger.start(PROGRAM, "-u", "root", "-s",
                folder.resolve(socket).toString(), "-m", "64", "-e", memory.toString());
        Poll.until(() -> Files.exists(folder.resolve(socket)), () -> "memcached does not listen");
        return started;
    }

    private MemcachedClient client(String socket) throws IOException {
        MemcachedClient[] client = new MemcachedClient[1];
        Poll.until(() -> {
            try {
                client[0] = new MemcachedClient(folder.resolve(socket));
                return true;
            } catch (SocketException e) {
                return false;
            }
        }, () -> "memcached does not answer");
        return client[0];
    }

    /** Stores and asks, at random, until the connection ends. */
    private static void load(MemcachedClient client, AtomicLong done) {
        SplittableRandom random = new SplittableRandom(SEED);
        try {
            while (true) {
                int key = random.nextInt(KEYS);
                if (random.nextInt(3) == 0) {
                    client.has(key);
                } else {
                    client.set(key);
                }
                done.incrementAndGet();
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        } catch (IOException e) {
            // It has ended, as it was told.
            return;
        }
    }

    private static long stopTime(Path meta) throws IOException {
        String name = "Kstop_time ";
        return Files.readAllLines(meta).stream().filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.substring(name.length()).strip()))
                .findFirst().orElseThrow();
    }

    private static void shell(String line) throws IOException, InterruptedException {
        assertEquals(0, new ProcessBuilder("sh", "-c", line).inheritIO().start().waitFor(), line);
    }
}
