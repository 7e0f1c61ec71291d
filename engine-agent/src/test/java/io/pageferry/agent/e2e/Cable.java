package io.pageferry.agent.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/**
 * A cable between two agents: who connects here is connected with the target. It can be pulled and
 * plugged in again; what else may happen to what it carries is for subclasses.
 */
class Cable implements AutoCloseable {
    private final ServerSocket server;
    private final InetSocketAddress target;

    // Guarded by this.
    private final List<Socket> sockets = new ArrayList<>();
    private boolean laid;
    private boolean pulled;

    /**
     * Makes one that is plugged in.
     *
     * @param address of the target
     */
    Cable(String address) throws IOException {
        int colon = address.lastIndexOf(':');
        this.target = new InetSocketAddress(address.substring(0, colon),
                Integer.parseInt(address.substring(colon + 1)));
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    /** {@return where a source finds the target} */
    final synchronized String address() {
        if (!laid) {
            laid = true;
            Thread.ofPlatform().daemon().name("cable").start(this::accept);
        }
        return "127.0.0.1:" + server.getLocalPort();
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
        for (Socket one : sockets) {
            if (reset) {
                one.setSoLinger(true, 0);
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

    private void connect(Socket near) throws IOException {
        try {
            Socket far = new Socket(target.getAddress(), target.getPort());
            keep(near, far);
            carry(near, far, true);
            carry(far, near, false);
        } catch (IOException e) {
            near.close();
        }
    }

    private synchronized void keep(Socket near, Socket far) throws IOException {
        sockets.add(near);
        sockets.add(far);
        if (pulled) {
            cut(true);
        }
    }

    private void carry(Socket from, Socket to, boolean fromSource) {
        Thread.ofPlatform().daemon().name("cable " + fromSource).start(() -> {
            try {
                carry(from.getInputStream(), to.getOutputStream(), fromSource);
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
