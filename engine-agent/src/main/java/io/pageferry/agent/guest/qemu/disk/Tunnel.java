package io.pageferry.agent.guest.qemu.disk;

import io.pageferry.core.link.Message;
import io.pageferry.core.link.StreamLink;
import io.pageferry.core.precopy.RateLimiter;
import io.pageferry.core.round.Bandwidth;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Carries the bytes of UNIX sockets over a migration's own link. At the source a QEMU connects to
 * a socket here for each disk; at the target each stream becomes a connection to the NBD server.
 * Each has threads of its own: a QEMU that waits for its blocks may keep the migration's thread
 * waiting, which then must not be the one to bring them.
 */
public final class Tunnel implements AutoCloseable {
    private static final long LOOK_NANOS = 20_000_000L;

    private final List<StreamPump> pumps = new ArrayList<>();
    private final List<ServerSocketChannel> listeners = new ArrayList<>();
    private final List<Path> sockets;
    private final StreamLink link;
    private final RateLimiter limiter =
            new RateLimiter(SystemNanoClock.INSTANCE, Bandwidth.UNLIMITED);

    /** Listens on a UNIX socket. */
    @FunctionalInterface
    public interface Listener {
        /**
         * Listens on a socket for a QEMU.
         *
         * @param socket a path that is free
         * @return the socket, the caller's to close
         * @throws IOException when it cannot be made
         */
        ServerSocketChannel listen(Path socket) throws IOException;
    }

    private Tunnel(StreamLink link, List<Path> sockets) {
        this.link = link;
        this.sockets = sockets;
    }

    /**
     * The source's end: listens, and opens a stream for the first client.
     *
     * @param link    to the target
     * @param sockets one for each stream; replaced where they exist
     * @param listeners   listens on one of them
     * @return the end, the caller's to close
     * @throws IOException when one cannot be made
     */
    public static Tunnel listening(StreamLink link, List<Path> sockets, Listener listeners)
            throws IOException {
        Tunnel tunnel = new Tunnel(link, sockets);
        boolean made = false;
        try {
            for (int stream = 0; stream < sockets.size(); stream++) {
                DiskExports.delete(sockets.get(stream));
                tunnel.listeners.add(listeners.listen(sockets.get(stream)));
                StreamPump pump = new StreamPump(stream, link, tunnel.limiter);
                tunnel.pumps.add(pump);
            }
            link.streamsTo(tunnel::take);
            for (int stream = 0; stream < sockets.size(); stream++) {
                ServerSocketChannel listener = tunnel.listeners.get(stream);
                tunnel.pumps.get(stream).start(listener::accept);
            }
            made = true;
            return tunnel;
        } finally {
            if (!made) {
                tunnel.close();
            }
        }
    }

    /**
     * The target's end: connects when a stream is opened.
     *
     * @param link    to the source
     * @param streams how many there may be
     * @param server  where to connect
     * @return the end, the caller's to close
     */
    public static Tunnel connecting(StreamLink link, int streams, Path server) {
        Tunnel tunnel = new Tunnel(link, List.of());
        for (int stream = 0; stream < streams; stream++) {
            tunnel.pumps.add(new StreamPump(stream, link, tunnel.limiter));
        }
        Consumer<Message.Streamed> receiver = message -> {
            if (message instanceof Message.StreamCredit && message.stream() < streams) {
                tunnel.pumps.get(message.stream()).start(
                        () -> SocketChannel.open(UnixDomainSocketAddress.of(server)));
            }
            tunnel.take(message);
        };
        link.streamsTo(receiver);
        return tunnel;
    }

    private void take(Message.Streamed message) {
        if (message.stream() < pumps.size()) {
            pumps.get(message.stream()).take(message);
        }
    }

    /**
     * Bounds what goes to the other side, over all streams.
     *
     * @param bytesPerSecond 0 for no bound
     */
    public void limit(long bytesPerSecond) {
        limiter.limit(bytesPerSecond);
    }

    /** {@return bytes that went to the other side} */
    public long sentBytes() {
        return pumps.stream().mapToLong(StreamPump::sentBytes).sum();
    }

    /**
     * Ends every stream where none of them moves for too long and nothing else comes from the peer
     * either, until that is called off. What waits for its blocks gets an error then, and not what
     * a silent link would bring. Over a link that lives it waits on: a disk may be slow.
     *
     * @param nanos in which something must move or come
     * @return calls it off
     */
    Runnable endUnlessMoving(long nanos) {
        AtomicBoolean over = new AtomicBoolean();
        Thread.ofPlatform().daemon().name("pageferry-stream-patience").start(() -> {
            long moved = movedBytes();
            long since = System.nanoTime();
            while (!over.get()) {
                LockSupport.parkNanos(LOOK_NANOS);
                long now = movedBytes();
                if (now != moved) {
                    moved = now;
                    since = System.nanoTime();
                } else if (!over.get() && System.nanoTime() - since >= nanos
                        && link.silentNanos() >= nanos) {
                    pumps.forEach(StreamPump::close);
                    return;
                }
            }
        });
        return () -> over.set(true);
    }

    private long movedBytes() {
        return pumps.stream().mapToLong(pump -> pump.sentBytes() + pump.writtenBytes()).sum();
    }

    /** Ends every stream. */
    @Override
    public void close() {
        for (ServerSocketChannel listener : listeners) {
            StreamPump.close(listener);
        }
        pumps.forEach(StreamPump::close);
        sockets.forEach(DiskExports::delete);
    }
}
