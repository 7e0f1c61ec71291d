package io.pageferry.agent.daemon.web;

import io.pageferry.agent.daemon.api.PageOpener;
import io.pageferry.agent.link.api.ApiListener;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import io.pageferry.transport.http.HttpHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.agrona.CloseHelper;

/**
 * Serves the dashboard, and the API for it, on the loopback: from the first time on that somebody
 * asks for it. Any thread.
 */
public final class Dashboard implements PageOpener, AutoCloseable {
    private final Consumer<Throwable> bugs;
    private volatile HttpHandler api;
    private BrowserGate gate;
    private ApiListener listener;

    /**
     * Makes one; nothing listens yet.
     *
     * @param bugs gets what a handler threw, on any thread
     */
    public Dashboard(Consumer<Throwable> bugs) {
        this.bugs = bugs;
    }

    /**
     * Takes what the pages ask; before the first is opened.
     *
     * @param behind answers the calls of the API
     */
    public void over(HttpHandler behind) {
        api = behind;
    }

    @Override
    public synchronized String open() throws IOException {
        if (listener == null) {
            gate = new BrowserGate(this::answer, System::nanoTime);
            listener = ApiListener.onLoopback(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), gate, bugs);
        }
        return "http://127.0.0.1:" + listener.port() + gate.give();
    }

    private HttpAnswer answer(HttpCall call) {
        return DashboardFiles.answer(call).orElseGet(() -> api.answer(call));
    }

    /** Ends every connection. Idempotent. */
    @Override
    public synchronized void close() {
        CloseHelper.close(listener);
    }
}
