package io.pageferry.transport.netty;

import io.pageferry.transport.wire.WireLimits;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.Optional;
import org.agrona.concurrent.NanoClock;

/**
 * Settings of one side's transport.
 *
 * @param kind       how to reach the kernel; must be available
 * @param ioThreads  threads that serve all connections of a client or server, ≥ 1
 * @param heartbeat  silence of ours after which a heartbeat is sent, at least 1 ms
 * @param lossAfter  silence of the peer after which a link is lost; longer than its heartbeat
 * @param handshake  time limit for preamble and first message of a connection
 * @param closing    time limit for flushing and for the peer's own close
 * @param maxPending connections that a server holds before they proved anything; the oldest
 *                   makes way. Also bounds the links that are not polled from it yet
 * @param maxWindow  slots that a source gives each channel at most, 1 …
 *                   {@link WireLimits#MAX_WINDOW}
 * @param clock      monotonic nanoseconds
 * @param security   who is let in, and whether the bytes are encrypted
 * @param capture    is shown all that goes over the connections; mostly empty, which costs nothing
 */
public record TransportOptions(
        TransportKind kind,
        int ioThreads,
        Duration heartbeat,
        Duration lossAfter,
        Duration handshake,
        Duration closing,
        int maxPending,
        int maxWindow,
        NanoClock clock,
        Security security,
        Optional<CaptureSink> capture) {
    /** Checks the ranges named above; throws {@link IllegalArgumentException}. */
    public TransportOptions {
        if (ioThreads < 1 || maxPending < 1 || heartbeat.toMillis() < 1
                || lossAfter.compareTo(heartbeat) <= 0
                || maxWindow < 1 || maxWindow > WireLimits.MAX_WINDOW) {
            throw new IllegalArgumentException("transport options out of range: " + ioThreads
                    + " threads, heartbeat " + heartbeat + ", loss after " + lossAfter
                    + ", pending " + maxPending + ", window " + maxWindow);
        }
    }

    /**
     * Gives the usual settings; the times are those of docs/PROTOCOL.md §10.
     *
     * @param clock monotonic nanoseconds
     * @return the settings, with {@link TransportKind#NIO}
     */
    public static TransportOptions defaults(NanoClock clock) {
        return new TransportOptions(TransportKind.NIO, 2, Duration.ofSeconds(1),
                Duration.ofSeconds(10), Duration.ofSeconds(15), Duration.ofSeconds(1), 256,
                WireLimits.MAX_WINDOW, clock, Security.none(), Optional.empty());
    }

    /**
     * Changes the kind.
     *
     * @param other the kind wanted
     * @return a copy
     */
    public TransportOptions withKind(TransportKind other) {
        return new TransportOptions(other, ioThreads, heartbeat, lossAfter, handshake, closing,
                maxPending, maxWindow, clock, security, capture);
    }

    /**
     * Gives the settings for an address: a unix socket goes by {@link TransportKind#EPOLL}.
     *
     * @param address where to listen, or to connect
     * @return a copy
     */
    public TransportOptions withKindFor(SocketAddress address) {
        return address instanceof UnixDomainSocketAddress ? withKind(TransportKind.EPOLL) : this;
    }

    /**
     * Changes when a heartbeat is sent and when a link is lost.
     *
     * @param beat silence of ours
     * @param loss silence of the peer
     * @return a copy
     */
    public TransportOptions withSilence(Duration beat, Duration loss) {
        return new TransportOptions(kind, ioThreads, beat, loss, handshake, closing,
                maxPending, maxWindow, clock, security, capture);
    }

    /**
     * Changes the limits of connections that did not show yet what they are for.
     *
     * @param time    for preamble and first message
     * @param pending how many at once
     * @return a copy
     */
    public TransportOptions withHandshake(Duration time, int pending) {
        return new TransportOptions(kind, ioThreads, heartbeat, lossAfter, time, closing,
                pending, maxWindow, clock, security, capture);
    }

    /**
     * Changes who is let in and whether others can read along.
     *
     * @param other what is wanted
     * @return a copy
     */
    public TransportOptions withSecurity(Security other) {
        return new TransportOptions(kind, ioThreads, heartbeat, lossAfter, handshake, closing,
                maxPending, maxWindow, clock, other, capture);
    }

    /**
     * Changes who is shown what goes over the connections.
     *
     * @param sink nobody where it is empty
     * @return a copy
     */
    public TransportOptions withCapture(Optional<CaptureSink> sink) {
        return new TransportOptions(kind, ioThreads, heartbeat, lossAfter, handshake, closing,
                maxPending, maxWindow, clock, security, sink);
    }
}
