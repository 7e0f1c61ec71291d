package io.pageferry.agent.state.guard;

import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.agent.host.linux.UnixPeer;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.locks.LockSupport;

/** A guard that is one of those of {@code guard-service}: a connection to its unix socket. */
final class ServiceChannel implements GuardChannel {
    /** What the service says first, with the version of the lines; its process follows. */
    static final String GREETING = "guard\t1\t";

    /** Names the socket, as {@code unix:PATH}; or {@code none}, for guards of one's own. */
    static final String VARIABLE = "PAGEFERRY_GUARD";

    /** The same for one process, which wins. */
    static final String PROPERTY = "pageferry.guard";

    /** Where the service listens where nobody says otherwise. */
    static final String USUAL = "unix:/run/pageferry/guard.sock";

    private static final String UNIX = "unix:";
    private static final long GREETING_NANOS = 2_000_000_000L;
    private static final long POLL_NANOS = 200_000L;

    /** Whether it is there is asked in each duty cycle: the kernel is asked so often. */
    private static final long LOOK_NANOS = 2_000_000L;

    private static final int READ_BYTES = 8192;

    private final SocketChannel socket;
    private final ByteBuffer read = ByteBuffer.allocate(READ_BYTES);
    private final StringBuilder rest = new StringBuilder();
    private final Queue<String> lines = new ArrayDeque<>();
    private long pid;
    private long looked = System.nanoTime();
    private boolean over;

    private ServiceChannel(SocketChannel socket) {
        this.socket = socket;
    }

    /**
     * Connects to the service, where there is one of this user or root.
     *
     * @return the connection; empty where nobody fit for it answers there
     */
    static Optional<ServiceChannel> find() {
        String place = System.getProperty(PROPERTY,
                Objects.requireNonNullElse(System.getenv(VARIABLE), USUAL));
        return place.startsWith(UNIX) ? connect(Path.of(place.substring(UNIX.length())))
                : Optional.empty();
    }

    static Optional<ServiceChannel> connect(Path path) {
        ServiceChannel channel = null;
        try {
            if (!isTrusted(path)) {
                return Optional.empty();
            }
            SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel = new ServiceChannel(socket);
            // It waits for nobody where its queue is full.
            socket.configureBlocking(false);
            socket.connect(UnixDomainSocketAddress.of(path));
            if (channel.isGreeted(UnixPeer.pid(path))) {
                return Optional.of(channel);
            }
        } catch (IOException e) {
            // Whatever is there is no guard: one of our own does it.
        }
        if (channel != null) {
            channel.close();
        }
        return Optional.empty();
    }

    /** Whose socket it is decides what a guard does with the guests of this user. */
    private static boolean isTrusted(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        return PrivateFiles.isOfRootOrSelf(path)
                && !PrivateFiles.othersMayReplace(path.toAbsolutePath().getParent());
    }

    /** Descriptors are fetched from that process, so it has to be the one that answers. */
    private boolean isGreeted(long process) throws IOException {
        long start = System.nanoTime();
        String line = poll();
        while (line == null && !over && System.nanoTime() - start < GREETING_NANOS) {
            LockSupport.parkNanos(POLL_NANOS);
            line = poll();
        }
        pid = process;
        return (GREETING + process).equals(line);
    }

    @Override
    public void send(String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        long start = System.nanoTime();
        while (bytes.hasRemaining()) {
            if (socket.write(bytes) == 0) {
                if (System.nanoTime() - start >= GREETING_NANOS) {
                    throw new GuardException("the guard reads nothing");
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
    }

    @Override
    public String poll() {
        if (lines.isEmpty()) {
            receive();
        }
        return lines.poll();
    }

    private void receive() {
        looked = System.nanoTime();
        try {
            int got = over ? -1 : socket.read(read.clear());
            over |= got < 0;
            for (int i = 0; i < got; i++) {
                byte one = read.get(i);
                if (one == '\n') {
                    lines.add(new String(rest.toString().getBytes(StandardCharsets.ISO_8859_1),
                            StandardCharsets.UTF_8));
                    rest.setLength(0);
                } else {
                    rest.append((char) (one & 0xff));
                }
            }
        } catch (IOException e) {
            over = true;
        }
    }

    @Override
    public long pid() {
        return pid;
    }

    @Override
    public boolean isAlive() {
        if (!over && System.nanoTime() - looked >= LOOK_NANOS) {
            receive();
        }
        return !over;
    }

    @Override
    public void end() {
        try {
            socket.shutdownOutput();
        } catch (IOException e) {
            return; // it sees the end all the same
        }
    }

    @Override
    public boolean awaitEnd(long seconds) {
        long start = System.nanoTime();
        while (!over && System.nanoTime() - start < seconds * 1_000_000_000L) {
            receive();
            if (!over) {
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
        return over;
    }

    /** The others of its process have other agents. */
    @Override
    public void kill() {
        close();
    }

    @Override
    public void close() {
        over = true;
        try {
            socket.close();
        } catch (IOException e) {
            return; // the kernel closes it
        }
    }
}
