package io.pageferry.agent.client;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/** A connection to an agent of this host. */
final class UnixSocket extends ApiSocket {
    private static final int BUFFER = 16 << 10;

    private final SocketChannel channel;
    private final Selector selector;
    private final ByteBuffer read = ByteBuffer.allocate(BUFFER).flip();
    private long limitMillis;

    private UnixSocket(SocketChannel channel, Selector selector) {
        this.channel = channel;
        this.selector = selector;
    }

    /** Connects, without waiting: on this host somebody listens, or nobody does. */
    static UnixSocket connect(UnixDomainSocketAddress address, Duration limit)
            throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.configureBlocking(false);
            channel.connect(address);
            UnixSocket socket = new UnixSocket(channel, Selector.open());
            channel.register(socket.selector, 0);
            socket.limit(limit);
            return socket;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    void limit(Duration limit) {
        limitMillis = Math.max(1, limit.toMillis());
    }

    @Override
    void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                await(SelectionKey.OP_WRITE);
            }
        }
    }

    @Override
    public int read() throws IOException {
        return fill() ? read.get() & 0xff : -1;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0 || !fill()) {
            return length == 0 ? 0 : -1;
        }
        int some = Math.min(length, read.remaining());
        read.get(bytes, offset, some);
        return some;
    }

    private boolean fill() throws IOException {
        if (read.hasRemaining()) {
            return true;
        }
        int some = receive();
        while (some == 0) {
            await(SelectionKey.OP_READ);
            some = receive();
        }
        return some > 0;
    }

    private int receive() throws IOException {
        read.clear();
        try {
            return channel.read(read);
        } finally {
            read.flip();
        }
    }

    private void await(int operation) throws IOException {
        SelectionKey key = channel.keyFor(selector);
        try {
            if (key != null && key.interestOps(operation) != null
                    && selector.select(limitMillis) == 0 && channel.isOpen()) {
                throw new SocketTimeoutException("the agent is silent for " + limitMillis
                        + " ms");
            }
            selector.selectedKeys().clear();
        } catch (ClosedSelectorException | CancelledKeyException e) {
            throw new EOFException("the connection was closed here");
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        selector.close();
    }
}
