package io.pageferry.agent.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A cable that is hurt at points drawn from a seed: each time so many bytes went through it, the
 * connections of that moment are dropped, cut off in the middle, silent for ever, or one bit is
 * turned over. Later connections are carried again. It knows nothing of the protocol.
 */
final class RoughProxy implements AutoCloseable {
    /** What can happen to a cable. */
    enum Harm { DROP, TRUNCATE, CORRUPT, STALL }

    /** Before the first harm: an offer that fails is a refusal, not a lost link. */
    private static final int SAFE_BYTES = 64 << 10;

    private final ServerSocket server;
    private final InetSocketAddress target;
    private final Random random;
    private final int mostBytes;

    // Guarded by this.
    private final ArrayDeque<Harm> toCome;
    private final List<Harm> done = new ArrayList<>();
    private final List<Socket> sockets = new ArrayList<>();
    private long untilHarm;
    private int era;
    private boolean closed;

    /**
     * Lays the cable.
     *
     * @param address   of the target
     * @param seed      of all points
     * @param harms     what happens, in this order
     * @param mostBytes between two of them
     */
    RoughProxy(String address, long seed, List<Harm> harms, int mostBytes) throws IOException {
        int colon = address.lastIndexOf(':');
        this.target = new InetSocketAddress(address.substring(0, colon),
                Integer.parseInt(address.substring(colon + 1)));
        this.random = new Random(seed);
        this.toCome = new ArrayDeque<>(harms);
        this.mostBytes = mostBytes;
        this.untilHarm = SAFE_BYTES + random.nextInt(mostBytes);
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().name("rough proxy").start(this::accept);
    }

    String address() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    /** {@return what happened so far} */
    synchronized List<Harm> done() {
        return List.copyOf(done);
    }

    private void accept() {
        try {
            while (true) {
                carry(server.accept());
            }
        } catch (IOException over) {
            // The test is over.
        }
    }

    private void carry(Socket near) throws IOException {
        try {
            Socket far = new Socket(target.getAddress(), target.getPort());
            int born = keep(near, far);
            carry(near, far, born);
            carry(far, near, born);
        } catch (IOException nobody) {
            near.close();
        }
    }

    private synchronized int keep(Socket... both) throws IOException {
        for (Socket one : both) {
            sockets.add(one);
            if (closed) {
                one.close();
            }
        }
        return era;
    }

    private void carry(Socket from, Socket to, int born) {
        Thread.ofPlatform().daemon().name("rough proxy").start(() -> {
            byte[] buffer = new byte[16 << 10];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int bytes = in.read(buffer); bytes >= 0; bytes = in.read(buffer)) {
                    int pass = pass(buffer, bytes, born);
                    out.write(buffer, 0, Math.abs(pass));
                    if (pass < 0) {
                        end(false);
                    }
                }
                to.shutdownOutput();
            } catch (IOException lost) {
                // Either side may go at any time; the other learns it from its own socket.
            }
        });
    }

    /** Tells how many of these bytes go on; negative where nothing follows them. */
    private synchronized int pass(byte[] buffer, int bytes, int born) throws IOException {
        if (born < era) {
            return 0;
        }
        untilHarm -= bytes;
        if (untilHarm > 0 || toCome.isEmpty()) {
            return bytes;
        }
        Harm harm = toCome.poll();
        done.add(harm);
        untilHarm = 1 + random.nextInt(mostBytes);
        switch (harm) {
            case CORRUPT -> buffer[random.nextInt(bytes)] ^= (byte) (1 << random.nextInt(8));
            case DROP -> end(true);
            default -> era++;
        }
        return switch (harm) {
            case CORRUPT -> bytes;
            case TRUNCATE -> -Math.max(1, bytes / 2);
            default -> 0;
        };
    }

    private synchronized void end(boolean reset) throws IOException {
        era++;
        for (Socket one : sockets) {
            if (reset) {
                one.setSoLinger(true, 0);
            }
            one.close();
        }
        sockets.clear();
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
