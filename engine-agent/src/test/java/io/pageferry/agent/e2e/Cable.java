package io.pageferry.agent.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * A cable between two agents: who connects here is connected with the target. It can be pulled and
 * plugged in again; what else may happen to what it carries is for subclasses.
 */
class Cable implements AutoCloseable {
    private static final String UNIX = "unix:";

    private final ServerSocketChannel server;
    private final SocketAddress target;

    // Guarded by this.
    private final List<SocketChannel> sockets = new ArrayList<>();
    private boolean laid;
    private boolean pulled;

    /**
     * Makes one that is plugged in.
     *
     * @param address of the target: of a unix socket the cable is one too, beside it
     */
    Cable(String address) throws IOException {
        if (address.startsWith(UNIX)) {
            String path = address.substring(UNIX.length());
            this.target = UnixDomainSocketAddress.of(path);
            this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                    .bind(UnixDomainSocketAddress.of(path + ".cable"));
        } else {
            int colon = address.lastIndexOf(':');
            this.target = new InetSocketAddress(address.substring(0, colon),
                    Integer.parseInt(address.substring(colon + 1)));
            this.server = ServerSocketChannel.open()
                    .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        }
    }

    /** {@return where a source finds the target} */
    final synchronized String address() throws IOException {
        if (!laid) {
            laid = true;
            Thread.ofPlatform().daemon().name("cable").start(this::accept);
        }
        return server.getLocalAddress() instanceof InetSocketAddress tcp
                ? "127.0.0.1:" + tcp.getPort() : UNIX + server.getLocalAddress();
    }

    /** Cuts all connections, and whoever connects is cut off at once. */
    final synchronized void pull() throws IOException {
        pulled = true;
        cut(true);
    }

    /** Carries new connections again. */
    final synchronized void plug() {
        pulled = false;
    }

    /**
     * Ends all connections of this moment.
     *
     * @param reset whether what is on its way is lost
     */
    final synchronized void cut(boolean reset) throws IOException {
        for (SocketChannel one : sockets) {
            if (reset && one.isOpen() && target instanceof InetSocketAddress) {
                one.setOption(StandardSocketOptions.SO_LINGER, 0);
            }
            one.close();
        }
        sockets.clear();
    }

    /**
     * Carries one direction of one connection to its end, on a thread of its own.
     *
     * @param fromSource which one
     */
    void carry(InputStream from, OutputStream to, boolean fromSource) throws IOException {
        byte[] some = new byte[1 << 16];
        for (int read = from.read(some); read >= 0; read = from.read(some)) {
            pass(some, read, fromSource);
            to.write(some, 0, read);
        }
    }

    /** Sees what goes by. */
    void pass(byte[] some, int bytes, boolean fromSource) {
        // Nothing is noted here.
    }

    private void accept() {
        try {
            while (true) {
                connect(server.accept());
            }
        } catch (IOException e) {
            // The test is over.
        }
    }

    private void connect(SocketChannel near) throws IOException {
        try {
            SocketChannel far = SocketChannel.open(target);
            keep(near, far);
            carry(near, far, true);
            carry(far, near, false);
        } catch (IOException e) {
            near.close();
        }
    }

    private synchronized void keep(SocketChannel near, SocketChannel far) throws IOException {
        sockets.add(near);
        sockets.add(far);
        if (pulled) {
            cut(true);
        }
    }

    private void carry(SocketChannel from, SocketChannel to, boolean fromSource) {
        Thread.ofPlatform().daemon().name("cable " + fromSource).start(() -> {
            try {
                carry(Channels.newInputStream(from), Channels.newOutputStream(to), fromSource);
                to.shutdownOutput();
            } catch (IOException e) {
                // Either side may go at any time; the other learns it from its own socket.
            }
        });
    }

    @Override
    public synchronized void close() throws IOException {
        pulled = true;
        server.close();
        cut(false);
    }
}
