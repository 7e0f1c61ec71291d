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
import java.util.concurrent.locks.LockSupport;

/**
 * A cable between two agents that notes when how many bytes went from source to target. It notes
 * too how late this machine let its threads run: what was held up here passed all at once.
 */
final class CountingRelay implements AutoCloseable {
    private static final long SECOND = 1_000_000_000L;
    private static final long TURN_NANOS = 1_000_000L;

    private final ServerSocket server;
    private final InetSocketAddress target;

    // Guarded by this.
    private final List<Socket> sockets = new ArrayList<>();
    private final List<long[]> passed = new ArrayList<>();
    private long latest;
    private boolean closed;

    CountingRelay(String address) throws IOException {
        int colon = address.lastIndexOf(':');
        this.target = new InetSocketAddress(address.substring(0, colon),
                Integer.parseInt(address.substring(colon + 1)));
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().name("relay").start(this::accept);
        Thread.ofPlatform().daemon().name("lateness").start(this::watch);
    }

    String address() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    /** {@return all bytes from source to target} */
    synchronized long total() {
        return passed.stream().mapToLong(one -> one[1]).sum();
    }

    /** {@return most bytes in any second} */
    synchronized long mostInASecond() {
        List<long[]> inOrder = passed.stream()
                .sorted((a, b) -> Long.signum(a[0] - b[0])).toList();
        long most = 0;
        long sum = 0;
        int first = 0;
        for (long[] last : inOrder) {
            sum += last[1];
            while (last[0] - inOrder.get(first)[0] >= SECOND) {
                sum -= inOrder.get(first++)[1];
            }
            most = Math.max(most, sum);
        }
        return most;
    }

    /** {@return longest time for which a thread of this process that wanted to run did not} */
    synchronized long latestNanos() {
        return latest;
    }

    private void watch() {
        while (!isClosed()) {
            long before = System.nanoTime();
            LockSupport.parkNanos(TURN_NANOS);
            late(System.nanoTime() - before - TURN_NANOS);
        }
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private synchronized void late(long nanos) {
        latest = Math.max(latest, nanos);
    }

    private synchronized void note(int bytes) {
        passed.add(new long[] {System.nanoTime(), bytes});
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

    private void carry(Socket from, Socket to, boolean count) {
        Thread.ofPlatform().daemon().name("relay " + count).start(() -> {
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                byte[] some = new byte[1 << 16];
                for (int read = in.read(some); read >= 0; read = in.read(some)) {
                    if (count) {
                        note(read);
                    }
                    out.write(some, 0, read);
                }
                to.shutdownOutput();
            } catch (IOException lost) {
                // Either side may go at any time; the other learns it from its own socket.
            }
        });
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
