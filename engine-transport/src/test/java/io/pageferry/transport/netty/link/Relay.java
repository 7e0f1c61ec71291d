package io.pageferry.transport.netty.link;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Stands between source and target as the network does: passes bytes on, and on demand cuts every
 * connection or turns one bit of what goes to the target.
 */
final class Relay implements AutoCloseable {
    private final ServerSocketChannel listener;
    private final SocketAddress target;
    private final List<SocketChannel> sockets = new CopyOnWriteArrayList<>();
    private volatile int flipConnection = -1;
    private volatile long flipAt;
    private volatile boolean flipped;
    private volatile boolean frozen;
    private int connections;

    /** Listens on loopback for a target on TCP. */
    Relay(InetSocketAddress target) throws IOException {
        this(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), target);
    }

    /** Listens at one address, of TCP or of a unix socket, and passes on to another such. */
    Relay(SocketAddress at, SocketAddress target) throws IOException {
        this.target = target;
        this.listener = at instanceof InetSocketAddress ? ServerSocketChannel.open()
                : ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(at);
        Thread.ofVirtual().start(this::accept);
    }

    SocketAddress address() throws IOException {
        // With the name of the host, which a certificate is for.
        return listener.getLocalAddress() instanceof InetSocketAddress tcp
                ? new InetSocketAddress(InetAddress.getLoopbackAddress(), tcp.getPort())
                : listener.getLocalAddress();
    }

    /** Turns a bit of the byte at an offset of the n-th connection's bytes to the target. */
    void flip(int connection, long offset) {
        flipAt = offset;
        flipConnection = connection;
    }

    boolean hasFlipped() {
        return flipped;
    }

    /** Passes nothing on any more, and keeps the connections. */
    void freeze() {
        frozen = true;
    }

    void cut() {
        for (SocketChannel socket : sockets) {
            reset(socket);
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut();
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel near = keep(listener.accept());
                SocketChannel far = keep(SocketChannel.open(target));
                int number = connections++;
                Thread.ofVirtual().start(() -> pass(near, far, number));
                Thread.ofVirtual().start(() -> pass(far, near, Integer.MIN_VALUE));
            }
        } catch (IOException e) {
            // Closed: the test is over.
        }
    }

    private SocketChannel keep(SocketChannel socket) throws IOException {
        if (isTcp(socket)) {
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        sockets.add(socket);
        return socket;
    }

    private static boolean isTcp(SocketChannel socket) {
        return socket.supportedOptions().contains(StandardSocketOptions.TCP_NODELAY);
    }

    private void pass(SocketChannel from, SocketChannel to, int number) {
        ByteBuffer buffer = ByteBuffer.allocate(16 * 1024);
        long passed = 0;
        try {
            int bytes;
            while ((bytes = from.read(buffer.clear())) > 0) {
                if (number == flipConnection && flipAt >= passed && flipAt < passed + bytes) {
                    int at = (int) (flipAt - passed);
                    buffer.put(at, (byte) (buffer.get(at) ^ 0x10));
                    flipped = true;
                }
                passed += bytes;
                buffer.flip();
                while (!frozen && buffer.hasRemaining()) {
                    to.write(buffer);
                }
            }
            if (!frozen) {
                to.shutdownOutput();
            }
        } catch (IOException e) {
            // One side ended: the other learns it by its own end.
            reset(to);
        }
    }

    private static void reset(SocketChannel socket) {
        try (socket) {
            if (isTcp(socket)) {
                socket.setOption(StandardSocketOptions.SO_LINGER, 0);
            }
        } catch (IOException e) {
            // Another thread closed it first, which is as well.
            return;
        }
    }
}
