package io.pageferry.agent.e2e;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A cable between two agents that turns one bit of one frame over, and knows no more of the
 * protocol than how long a frame is (docs/PROTOCOL.md §6).
 */
final class FlippingProxy implements AutoCloseable {
    private static final int PREAMBLE = 16;
    private static final int HEADER = 32;

    /**
     * The frame to hurt.
     *
     * @param fromSource which way it goes
     * @param type       of the frame
     * @param nth        of that type and direction, from 1, over all connections
     * @param at         byte of the frame, header included
     */
    record Wound(boolean fromSource, int type, int nth, int at) { }

    private final ServerSocket server;
    private final InetSocketAddress target;
    private final Wound wound;
    private final AtomicInteger seen = new AtomicInteger();
    private final AtomicInteger flipped = new AtomicInteger();

    // Guarded by this.
    private final List<Socket> sockets = new ArrayList<>();
    private boolean closed;

    FlippingProxy(String address, Wound wound) throws IOException {
        int colon = address.lastIndexOf(':');
        this.target = new InetSocketAddress(address.substring(0, colon),
                Integer.parseInt(address.substring(colon + 1)));
        this.wound = wound;
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().name("proxy").start(this::accept);
    }

    String address() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    /** {@return how many bits were turned over: 0 or 1} */
    int flipped() {
        return flipped.get();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = server.accept();
                Socket agent = new Socket(target.getAddress(), target.getPort());
                if (!keep(client, agent)) {
                    return;
                }
                carry(client, agent, true);
                carry(agent, client, false);
            }
        } catch (IOException over) {
            // The test is over, or its target is gone: who connects next finds nobody.
        }
    }

    private synchronized boolean keep(Socket... both) throws IOException {
        for (Socket one : both) {
            sockets.add(one);
            if (closed) {
                one.close();
            }
        }
        return !closed;
    }

    private void carry(Socket from, Socket to, boolean fromSource) {
        Thread.ofPlatform().daemon().name("proxy " + fromSource).start(() -> {
            try {
                carry(from.getInputStream(), to.getOutputStream(), fromSource);
                to.shutdownOutput();
            } catch (IOException lost) {
                // Either side may go at any time; the other learns it from its own socket.
            }
        });
    }

    private void carry(InputStream from, OutputStream to, boolean fromSource) throws IOException {
        DataInputStream in = new DataInputStream(from);
        byte[] preamble = new byte[PREAMBLE];
        in.readFully(preamble);
        to.write(preamble);
        while (true) {
            byte[] header = new byte[HEADER];
            try {
                in.readFully(header);
            } catch (EOFException end) {
                return;
            }
            ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
            byte[] frame = new byte[HEADER + fields.getInt(4)];
            System.arraycopy(header, 0, frame, 0, HEADER);
            in.readFully(frame, HEADER, frame.length - HEADER);
            if (fromSource == wound.fromSource() && fields.getInt(0) == wound.type()
                    && seen.incrementAndGet() == wound.nth()) {
                frame[wound.at()] ^= 0x10;
                flipped.incrementAndGet();
            }
            to.write(frame);
        }
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        server.close();
        for (Socket one : sockets) {
            one.close();
        }
    }
}
