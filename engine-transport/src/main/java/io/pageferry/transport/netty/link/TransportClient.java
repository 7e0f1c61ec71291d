package io.pageferry.transport.netty.link;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.transport.TransportException;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.io.ChannelSetup;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Opens links to targets, any number one after another or at once. For any thread. */
public final class TransportClient implements AutoCloseable {
    private final ChannelSetup setup;

    /**
     * Starts the IO threads.
     *
     * @param options settings
     */
    public TransportClient(TransportOptions options) {
        this.setup = ChannelSetup.ofSource(options);
    }

    /**
     * Opens a control connection and agrees on a version. Waits; call it before a guest waits.
     *
     * @param address the target's, of TCP or a unix socket; an unresolved one is resolved here
     * @param timeout for all of it
     * @return the link, up, now the caller's to poll and close
     * @throws TransportException when the target was not reached, is not Pageferry or speaks other
     *                            versions
     */
    public NettySourceLink connect(SocketAddress address, Duration timeout)
            throws TransportException {
        setup.prime();
        NettySourceLink link = dial(address);
        String target = ChannelSetup.text(address);
        try {
            link.opening().get(timeout.toNanos(), TimeUnit.NANOSECONDS);
            return link;
        } catch (TimeoutException e) {
            link.close();
            throw new TransportException(ErrorCode.LINK_LOST,
                    target + ": no answer within " + timeout.toMillis() + " ms", e);
        } catch (InterruptedException e) {
            link.close();
            Thread.currentThread().interrupt();
            throw new TransportException(ErrorCode.CANCELLED,
                    target + ": interrupted while connecting", e);
        } catch (ExecutionException e) {
            link.close();
            ErrorCode code = e.getCause() instanceof TransportException known
                    ? known.code() : ErrorCode.INTERNAL;
            throw new TransportException(code,
                    target + ": " + e.getCause().getMessage(), e.getCause());
        }
    }

    /**
     * Begins to open a control connection and does not wait for it. Messages may be sent at once;
     * when the target is not reached the link is lost.
     *
     * @param address the target's, of TCP or a unix socket; an unresolved one is resolved on an
     *                IO thread
     * @return the link, now the caller's to poll and close
     */
    public NettySourceLink dial(SocketAddress address) {
        NettySourceLink link = new NettySourceLink(setup, address);
        link.control().open(address);
        return link;
    }

    /**
     * Names an address as people do, and journals.
     *
     * @param address of TCP, resolved or not, or of a unix socket
     * @return host and port, or {@code unix:} and the path
     */
    public static String text(SocketAddress address) {
        return ChannelSetup.text(address);
    }

    /** {@return one line that is to be logged, once; empty where there is none} */
    public Optional<String> pollNotice() {
        return setup.pollNotice();
    }

    /** Ends every link that is still open; waits for that within the closing limit. */
    @Override
    public void close() {
        setup.close();
    }
}
