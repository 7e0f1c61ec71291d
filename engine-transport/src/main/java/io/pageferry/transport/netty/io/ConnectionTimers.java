package io.pageferry.transport.netty.io;

import io.netty.channel.EventLoop;
import io.pageferry.transport.netty.TransportOptions;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Watches the time limits of one connection: the handshake, then the peer's silence. On the IO
 * thread, but for {@link #silentNanos}.
 */
final class ConnectionTimers {
    private final TransportOptions options;
    private final EventLoop loop;
    private final Consumer<String> expired;
    private volatile long heardNanos;
    private ScheduledFuture<?> ticking;
    private ScheduledFuture<?> handshake;

    /** Makes timers; {@code expired} receives, in words, which limit was passed. */
    ConnectionTimers(TransportOptions options, EventLoop loop, Consumer<String> expired) {
        this.options = options;
        this.loop = loop;
        this.expired = expired;
    }

    /** Starts, and has something run twice in each heartbeat. */
    void start(Runnable tick) {
        heard();
        handshake = loop.schedule(() -> expired.accept("no preamble and first message within "
                + options.handshake().toMillis() + " ms"),
                options.handshake().toNanos(), TimeUnit.NANOSECONDS);
        long half = Math.max(1, options.heartbeat().toNanos() / 2);
        ticking = loop.scheduleAtFixedRate(tick, half, half, TimeUnit.NANOSECONDS);
    }

    void heard() {
        heardNanos = options.clock().nanoTime();
    }

    /** For how long the peer has sent nothing; any thread. */
    long silentNanos() {
        return options.clock().nanoTime() - heardNanos;
    }

    /**
     * Looks whether the peer is silent for too long: no sign of its loss where this side does not
     * read. Before it is open the limit of the handshake holds: TLS may compute for long.
     */
    void checkSilence(boolean reading, boolean open) {
        if (!reading) {
            heard();
        } else if (open && silentNanos() > options.lossAfter().toNanos()) {
            expired.accept("nothing heard for " + options.lossAfter().toMillis() + " ms");
        }
    }

    void endHandshake() {
        cancel(handshake);
    }

    void stop() {
        cancel(handshake);
        cancel(ticking);
    }

    private static void cancel(ScheduledFuture<?> timer) {
        if (timer != null) {
            timer.cancel(false);
        }
    }
}
