package io.pageferry.agent.host.disk.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A connection over a unix socket on which no call waits longer than a limit. One thread may read
 * while another one writes; whichever fails, it is closed for both.
 */
final class NbdSocket implements AutoCloseable {
    private final SocketChannel channel;
    private final Selector readable;
    private final Selector writable;
    private final long limitNanos;

    private NbdSocket(SocketChannel channel, Duration limit) throws IOException {
        this.channel = channel;
        this.limitNanos = limit.toNanos();
        this.readable = Selector.open();
        this.writable = Selector.open();
        channel.register(readable, SelectionKey.OP_READ);
        channel.register(writable, SelectionKey.OP_WRITE);
    }

    /**
     * Connects to a server.
     *
     * @param path  of the socket
     * @param limit for each call on it
     * @throws IOException when nobody listens there, or takes no further connection
     */
    static NbdSocket connect(Path path, Duration limit) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        boolean connected = false;
        try {
            channel.configureBlocking(false);
            if (!channel.connect(UnixDomainSocketAddress.of(path))) {
                throw new IOException("it takes no further connection");
            }
            NbdSocket socket = new NbdSocket(channel, limit);
            connected = true;
            return socket;
        } finally {
            if (!connected) {
                channel.close();
            }
        }
    }

    /** Returns whether something came within some time. */
    boolean awaitInput(Duration most) throws IOException {
        return await(readable, most.toNanos());
    }

    /** Fills a buffer, and makes it ready to be read. */
    void read(ByteBuffer into) throws IOException {
        long deadline = System.nanoTime() + limitNanos;
        while (into.hasRemaining()) {
            int got = channel.read(into);
            if (got < 0) {
                throw new EOFException("it closed the connection");
            }
            if (got == 0 && !await(readable, deadline - System.nanoTime())) {
                throw silent();
            }
        }
        into.flip();
    }

    /** Writes buffers to their ends. */
    void write(ByteBuffer... buffers) throws IOException {
        long deadline = System.nanoTime() + limitNanos;
        while (buffers[buffers.length - 1].hasRemaining() || buffers[0].hasRemaining()) {
            if (channel.write(buffers) == 0
                    && !await(writable, deadline - System.nanoTime())) {
                throw silent();
            }
        }
    }

    private static boolean await(Selector selector, long nanos) throws IOException {
        try {
            selector.select(Math.max(1, nanos / 1_000_000));
            boolean ready = !selector.selectedKeys().isEmpty();
            selector.selectedKeys().clear();
            return ready;
        } catch (ClosedSelectorException e) {
            throw new IOException("it was closed", e);
        }
    }

    /** What is said of a server that keeps one waiting. */
    IOException silent() {
        return new IOException("it did not answer for " + limitNanos / 1_000_000 + " ms");
    }

    boolean isPastLimit(long sinceNanos) {
        return System.nanoTime() - sinceNanos > limitNanos;
    }

    /** Idempotent. */
    @Override
    public void close() {
        try {
            channel.close();
            readable.close();
            writable.close();
        } catch (IOException e) {
            // There is nothing that could be done about it.
            return;
        }
    }
}
