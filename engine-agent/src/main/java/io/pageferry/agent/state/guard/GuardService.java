package io.pageferry.agent.state.guard;

import io.pageferry.agent.guest.qemu.start.LaunchedQemu;
import io.pageferry.agent.host.linux.SocketFile;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.agrona.CloseHelper;

/**
 * The guards of many agents in one process, which stays: each connection to its socket is a guard
 * of its own, on a thread of its own, and one that waits or breaks holds up none of the others.
 * Only the user whose it is and root may connect. Any thread.
 */
public final class GuardService implements AutoCloseable {
    /** Names the service's socket for one process, as {@code unix:PATH}; or {@code none}. */
    public static final String PROPERTY = ServiceChannel.PROPERTY;

    /** Where the service listens where nobody says otherwise. */
    public static final String USUAL = ServiceChannel.USUAL;

    /** How often children that ended are reaped. */
    private static final long REAP_SECONDS = 1;

    /** A guard hears of an agent that was killed together with this process within this. */
    private static final long QUIET_NANOS = 300_000_000L;

    private static final long POLL_NANOS = 20_000_000L;

    private final SocketFile file;
    private final ServerSocketChannel socket;
    private final Path path;
    private final Consumer<String> words;
    private final Map<GuardMain, SocketChannel> guards = new ConcurrentHashMap<>();
    private final List<LaunchedQemu> children = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService reaper = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("reaper").factory());

    /**
     * Knows whether agents of this process have their guards in a service. It looks now and then,
     * on a thread of its own, as a service that hangs is waited for; whoever asks gets what it saw
     * last. Any thread.
     */
    public static final class Look {
        /** A connection to the service each time. */
        private static final long LOOK_NANOS = 5_000_000_000L;

        private final LongSupplier nanoClock;
        private volatile boolean there;
        private long looked;
        private Thread looking;

        /**
         * Looks for the first time, and waits for that.
         *
         * @param nanoClock monotonic
         */
        public Look(LongSupplier nanoClock) {
            this.nanoClock = nanoClock;
            this.looked = nanoClock.getAsLong();
            look();
        }

        /** {@return whether one answered when it was looked last; else agents start guards} */
        public boolean isThere() {
            return there;
        }

        /** Looks again where that was some seconds ago; returns at once. */
        public synchronized void tick() {
            long now = nanoClock.getAsLong();
            if (now - looked >= LOOK_NANOS && (looking == null || !looking.isAlive())) {
                looked = now;
                looking = Thread.ofPlatform().daemon().name("guard look").start(this::look);
            }
        }

        private void look() {
            Optional<ServiceChannel> channel = ServiceChannel.find();
            channel.ifPresent(ServiceChannel::close);
            there = channel.isPresent();
        }
    }

    private GuardService(SocketFile file, ServerSocketChannel socket, Path path,
            Consumer<String> words) {
        this.file = file;
        this.socket = socket;
        this.path = path;
        this.words = words;
    }

    /**
     * Begins to listen.
     *
     * @param path  of the socket
     * @param words gets one line for people at a time, on any thread
     * @return the service, to be {@linkplain #serve served}
     * @throws IOException with one line, when nobody can listen there
     */
    public static GuardService open(Path path, Consumer<String> words) throws IOException {
        Path place = path.toAbsolutePath();
        SocketFile file = SocketFile.free(place);
        ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            socket.bind(UnixDomainSocketAddress.of(place));
            file.made();
            return new GuardService(file, socket, place, words);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /**
     * Looks whether this one answers an agent that comes now. Waits for it, some seconds at most.
     *
     * @return whether
     */
    public boolean isAnswering() {
        Optional<ServiceChannel> channel = ServiceChannel.connect(path);
        channel.ifPresent(ServiceChannel::close);
        return channel.isPresent();
    }

    /**
     * Serves until it is closed.
     *
     * @throws IOException when no connection can be taken any more
     */
    public void serve() throws IOException {
        reaper.scheduleWithFixedDelay(this::reap, REAP_SECONDS, REAP_SECONDS, TimeUnit.SECONDS);
        while (true) {
            SocketChannel agent;
            try {
                agent = socket.accept();
            } catch (AsynchronousCloseException e) {
                return;
            }
            // Platform threads: what is traced is bound to the one that began it.
            Thread.ofPlatform().name("guard").start(() -> guard(agent));
        }
    }

    private void guard(SocketChannel agent) {
        try (agent; PrintStream answers = new PrintStream(new BufferedOutputStream(
                Channels.newOutputStream(agent)), false, StandardCharsets.UTF_8)) {
            answers.print(ServiceChannel.GREETING + ProcessHandle.current().pid() + "\n");
            answers.flush();
            GuardMain guard = GuardMain.ofMany(answers, this::say);
            guards.put(guard, agent);
            try {
                guard.serveOne(Channels.newInputStream(agent)).ifPresent(children::add);
            } finally {
                guards.remove(guard);
            }
        } catch (IOException | RuntimeException | Error e) {
            // It ends alone.
            words.accept("a guard broke: " + e);
        }
    }

    /**
     * Waits until no guard finishes any more what an agent began that is gone. One whose agent goes
     * meanwhile counts; one that watches nothing lets its agent have another guard.
     *
     * @param nanos longest wait
     * @return what is not finished by then, in words
     */
    public List<String> awaitFinished(long nanos) {
        long start = System.nanoTime();
        long busy = start;
        List<String> left = List.of();
        while (System.nanoTime() - start < nanos && System.nanoTime() - busy < QUIET_NANOS) {
            guards.forEach((guard, agent) -> {
                if (guard.isIdle()) {
                    CloseHelper.quietClose(agent);
                }
            });
            left = guards.keySet().stream().flatMap(one -> one.finishing().stream()).toList();
            if (!left.isEmpty()) {
                busy = System.nanoTime();
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return left;
    }

    private void say(UUID migration, String line) {
        words.accept(migration == null ? line : "migration " + migration + ": " + line);
    }

    /** One that has ended is a zombie until then; one that has not may be traced, and is left. */
    private void reap() {
        for (LaunchedQemu child : children) {
            if (!child.isAlive()) {
                child.reap();
                children.remove(child);
            }
        }
    }

    /** Listens no more; guards that are there go on. Idempotent. */
    @Override
    public void close() {
        file.close();
        reaper.shutdownNow();
        try {
            socket.close();
        } catch (IOException e) {
            return; // the kernel closes it
        }
    }
}
