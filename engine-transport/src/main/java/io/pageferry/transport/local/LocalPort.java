package io.pageferry.transport.local;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkAcceptor;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.link.TargetLink;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Where sources reach a target within one process: what a listening socket is between hosts. Any
 * thread; each end of a link is then confined to one.
 */
public final class LocalPort implements LinkOpener, LinkAcceptor {
    /** Connections that wait to be accepted; more are refused. */
    private static final int BACKLOG = 16;

    private final ArrayBlockingQueue<LocalConnection> waiting = new ArrayBlockingQueue<>(BACKLOG);
    private final Queue<LocalConnection> all = new ConcurrentLinkedQueue<>();

    /** Makes a port without connections. */
    public LocalPort() {
    }

    /**
     * Connects a source to the target.
     *
     * @return the source's end, the caller's to close; empty where no more connections are accepted
     */
    public Optional<SourceLink> connect() {
        LocalConnection connection = new LocalConnection();
        if (!waiting.offer(connection)) {
            return Optional.empty();
        }
        all.removeIf(LocalConnection::isLost);
        all.add(connection);
        return Optional.of(new LocalSource(connection));
    }

    @Override
    public Optional<TargetLink> accept() {
        return Optional.ofNullable(waiting.poll()).map(LocalTarget::new);
    }

    /** Loses every link that stands, as a pulled cable would. */
    public void cut() {
        all.forEach(connection -> connection.lose(ErrorCode.LINK_LOST, "the link was cut"));
    }

    @Override
    public Optional<SourceLink> beginOpen() {
        return connect();
    }
}
