package io.pageferry.transport.netty.link;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Stands between source and target as the network does: passes bytes on, and on demand cuts every
 * connection or turns one bit of what goes to the target.
 */
final class Relay implements AutoCloseable {
    private final ServerSocket listener;
    private final InetSocketAddress target;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private volatile int flipConnection = -1;
    private volatile long flipAt;
    private volatile boolean flipped;
    private volatile boolean frozen;
    private int connections;

    Relay(InetSocketAddress target) throws IOException {
        this.target = target;
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    InetSocketAddress address() {
        return (InetSocketAddress) listener.getLocalSocketAddress();
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
        for (Socket socket : sockets) {
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
                Socket near = listener.accept();
                Socket far = new Socket(target.getAddress(), target.getPort());
                near.setTcpNoDelay(true);
                far.setTcpNoDelay(true);
                sockets.add(near);
                sockets.add(far);
                int number = connections++;
                Thread.ofVirtual().start(() -> pass(near, far, number));
                Thread.ofVirtual().start(() -> pass(far, near, Integer.MIN_VALUE));
            }
        } catch (IOException e) {
            // Closed: the test is over.
        }
    }

    private void pass(Socket from, Socket to, int number) {
        byte[] buffer = new byte[16 * 1024];
        long passed = 0;
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            int bytes;
            while ((bytes = in.read(buffer)) > 0) {
                if (number == flipConnection && flipAt >= passed && flipAt < passed + bytes) {
                    buffer[(int) (flipAt - passed)] ^= 0x10;
                    flipped = true;
                }
                passed += bytes;
                if (!frozen) {
                    out.write(buffer, 0, bytes);
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

    private static void reset(Socket socket) {
        try (socket) {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // Another thread closed it first, which is as well.
            return;
        }
    }
}
