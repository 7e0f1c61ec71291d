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
import java.util.UUID;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

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

    private final SocketFile file;
    private final ServerSocketChannel socket;
    private final Consumer<String> words;
    private final List<LaunchedQemu> children = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService reaper = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("reaper").factory());

    private GuardService(SocketFile file, ServerSocketChannel socket, Consumer<String> words) {
        this.file = file;
        this.socket = socket;
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
        SocketFile file = SocketFile.free(path.toAbsolutePath());
        ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            socket.bind(UnixDomainSocketAddress.of(path.toAbsolutePath()));
            file.made();
            return new GuardService(file, socket, words);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /**
     * Looks whether agents of this process have their guards in a service.
     *
     * @return whether one answers; else they start guards of their own
     */
    public static boolean isThere() {
        Optional<ServiceChannel> channel = ServiceChannel.find();
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
            GuardMain.serve(Channels.newInputStream(agent), answers, this::say)
                    .ifPresent(children::add);
        } catch (IOException | RuntimeException | Error e) {
            // It ends alone.
            words.accept("a guard broke: " + e);
        }
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
