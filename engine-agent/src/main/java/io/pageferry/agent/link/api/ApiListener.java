package io.pageferry.agent.link.api;

import io.pageferry.agent.host.linux.PeerUser;
import io.pageferry.agent.host.linux.SocketFile;
import io.pageferry.transport.http.HttpCall.Caller;
import io.pageferry.transport.http.HttpHandler;
import io.pageferry.transport.netty.http.HttpServer;
import io.pageferry.transport.netty.http.HttpService;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.OptionalInt;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.agrona.CloseHelper;

/**
 * Serves an API on a unix socket to root, to this process's user and to a group. Its threads are
 * its own: four answer, and no more than {@value #WAITING} calls wait for them. Any thread.
 */
public final class ApiListener implements AutoCloseable {
    /** The group that may ask, where a host has it. */
    public static final String GROUP = "pageferry";

    private static final int THREADS = 4;
    private static final int WAITING = 64;

    /** Null on the loopback. */
    private final SocketFile file;
    private final ThreadPoolExecutor pool;
    private final HttpServer server;
    /** Set a moment after the first caller could come: whoever is of the group tries again. */
    private volatile OptionalInt group = OptionalInt.empty();

    private ApiListener(UnixDomainSocketAddress at, HttpHandler handler, Consumer<Throwable> bugs)
            throws IOException {
        this.file = SocketFile.free(at.getPath());
        this.pool = pool("pageferry-api-");
        try {
            this.server = new HttpServer(at, new HttpService(handler, pool, this::admits, bugs));
        } catch (IOException e) {
            pool.shutdownNow();
            throw e;
        }
    }

    /**
     * Listens at a path.
     *
     * @param at      absolute; the file is 0660 where the group is on this host, else 0600, and
     *                there while this listens
     * @param group   that may ask, by its name
     * @param handler answers calls
     * @param bugs    gets what it threw, on any thread
     * @return the listener, open
     * @throws IOException with one line, where it cannot listen there
     */
    public static ApiListener open(UnixDomainSocketAddress at, String group, HttpHandler handler,
            Consumer<Throwable> bugs) throws IOException {
        ApiListener listener = new ApiListener(at, handler, bugs);
        try {
            listener.file.made();
            listener.group = listener.file.share(group);
            return listener;
        } catch (IOException e) {
            listener.close();
            throw e;
        }
    }

    private ApiListener(InetSocketAddress at, HttpHandler handler, Consumer<Throwable> bugs)
            throws IOException {
        this.file = null;
        this.pool = pool("pageferry-page-");
        try {
            this.server = new HttpServer(at, new HttpService(handler, pool, caller -> true, bugs));
        } catch (IOException e) {
            pool.shutdownNow();
            throw e;
        }
    }

    static ThreadPoolExecutor pool(String name) {
        AtomicInteger number = new AtomicInteger();
        return new ThreadPoolExecutor(THREADS, THREADS, 0, TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(WAITING), task -> Thread.ofPlatform().daemon()
                        .name(name + number.incrementAndGet()).unstarted(task));
    }

    /**
     * Listens on this host's loopback, where every user can connect.
     *
     * @param at   of the loopback; port 0 lets the host choose
     * @param gate answers calls, of those that it lets in
     * @param bugs gets what it threw, on any thread
     * @return the listener, open
     * @throws IOException with one line, where it cannot listen
     */
    public static ApiListener onLoopback(InetSocketAddress at, HttpHandler gate,
            Consumer<Throwable> bugs) throws IOException {
        return new ApiListener(at, gate, bugs);
    }

    /** {@return the port, of one on the loopback} */
    public int port() {
        return server.port();
    }

    private boolean admits(Caller caller) {
        return PeerUser.objection(Integer.toUnsignedLong(caller.user())).isEmpty()
                || group.isPresent() && group.getAsInt() == caller.group();
    }

    /** Ends every connection and what answers; the file goes first. Idempotent. */
    @Override
    public void close() {
        CloseHelper.close(file);
        server.close();
        pool.shutdownNow();
    }
}
