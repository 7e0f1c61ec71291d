package io.pageferry.transport.netty.link;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Link;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.StreamLink;
import io.pageferry.transport.netty.io.ConnectionListener;
import io.pageferry.transport.netty.io.FrameConnection;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.WireException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * What both ends of a link share: the control connection, the queue of what arrived on it, and the
 * loss of it all. IO threads fill, the migration's thread polls.
 *
 * <p>Heartbeats, acknowledgements and the opening of channels stay inside the link. A
 * {@link Message.Failure} of the peer is delivered as a message, and its code again with the loss.
 */
abstract class NettyLink implements Link, StreamLink {
    // The peer ends its control connection when it ends a data connection: a round trip away.
    private static final Duration LINGER = Duration.ofMillis(200);

    private record Loss(ErrorCode code, String reason) { }

    final CopyOnWriteArrayList<FrameConnection> data = new CopyOnWriteArrayList<>();
    private final FrameConnection control;
    private final ArrayBlockingQueue<Message> inbox =
            new ArrayBlockingQueue<>(FrameConnection.QUEUE);
    private final AtomicReference<Loss> loss = new AtomicReference<>();
    private volatile boolean controlEnded;
    private volatile boolean closed;
    private volatile Consumer<Message.Streamed> streams;
    private boolean lossDelivered;

    /** Keeps what connections call out of the link's own interface. */
    private final class Events implements ConnectionListener {
        private final FrameConnection connection;

        Events(FrameConnection connection) {
            this.connection = connection;
        }

        @Override
        public void ready() {
            NettyLink.this.ready(connection);
        }

        @Override
        public boolean message(Message message) throws WireException {
            return NettyLink.this.message(connection, message);
        }

        @Override
        public void ended(ErrorCode code, String reason) {
            NettyLink.this.ended(connection, code, reason);
        }
    }

    NettyLink(FrameConnection control) {
        this.control = control;
        listenTo(control);
    }

    /** Takes a connection's events from now on; before it opens, or on its IO thread. */
    final void listenTo(FrameConnection connection) {
        connection.tell(new Events(connection));
    }

    FrameConnection control() {
        return control;
    }

    @Override
    public Optional<StreamLink> streams() {
        return Optional.of(this);
    }

    @Override
    public void streamsTo(Consumer<Message.Streamed> receiver) {
        streams = receiver;
    }

    /** Half of the queue is kept free of them: the migration's messages never wait for room. */
    @Override
    public boolean sendStreamed(Message.Streamed message) {
        return isUp() && control.room() > FrameConnection.QUEUE / 2
                && control.send(MessageCodec.encode(message));
    }

    @Override
    public long silentNanos() {
        return Math.max(0, control.silentNanos());
    }

    @Override
    public boolean send(Message message) {
        return isUp() && control.room() > 0 && control.send(MessageCodec.encode(message));
    }

    @Override
    public int poll(LinkHandler handler) {
        if (closed || lossDelivered) {
            return 0;
        }
        // Read before the queues: what they hold then is all that there will be.
        boolean over = controlEnded;
        int delivered = 0;
        Message message;
        while (delivered < FrameConnection.QUEUE && (message = inbox.poll()) != null) {
            delivered++;
            handler.onMessage(message);
            if (closed) {
                return delivered;
            }
        }
        control.resume();
        delivered += pollBatches(handler);
        if (over && delivered == 0 && !closed) {
            lossDelivered = true;
            handler.onLost(loss.get().code(), loss.get().reason());
            return 1;
        }
        return delivered;
    }

    /** Delivers batches; a source has none. */
    int pollBatches(LinkHandler handler) {
        return 0;
    }

    @Override
    public boolean isUp() {
        return !closed && loss.get() == null;
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        control.finish(() -> { });
        // Slots go when no IO thread decodes into them any more.
        FrameConnection[] all = data.toArray(FrameConnection[]::new);
        AtomicInteger left = new AtomicInteger(all.length + 1);
        Runnable oneLess = () -> {
            if (left.decrementAndGet() == 0) {
                freeSlots();
            }
        };
        for (FrameConnection connection : all) {
            connection.finish(oneLess);
        }
        oneLess.run();
    }

    /** Frees the slots. Once, on any thread. */
    abstract void freeSlots();

    // --- on IO threads

    /** Notes that a connection exchanged preambles. */
    void ready(FrameConnection connection) {
        // A target learns of a connection when it is ready.
    }

    final boolean message(FrameConnection connection, Message message) throws WireException {
        if (message instanceof Message.Failure) {
            // It comes at most once; the loss reports it even where the queue is full.
            return inbox.offer(message) || connection != control;
        }
        if (connection != control) {
            return dataMessage(connection, message);
        }
        return switch (message) {
            case Message.Streamed streamed -> {
                Consumer<Message.Streamed> receiver = streams;
                if (receiver == null) {
                    // No streams were agreed on.
                    throw connection.misplaced(streamed);
                }
                receiver.accept(streamed);
                yield true;
            }
            case Message.Ack ack -> throw connection.misplaced(ack);
            case Message.ChannelHello hello -> throw connection.misplaced(hello);
            case Message.ChannelReady channel -> throw connection.misplaced(channel);
            default -> inbox.offer(message);
        };
    }

    /** Takes a message of a data connection. */
    abstract boolean dataMessage(FrameConnection connection, Message message)
            throws WireException;

    void ended(FrameConnection connection, ErrorCode code, String reason) {
        loss.compareAndSet(null, new Loss(code, reason));
        if (connection == control) {
            controlEnded = true;
        } else {
            // The end of this connection may overtake what was sent on the other one.
            control.linger(code == ErrorCode.LINK_LOST ? null
                    : new Message.Failure(code, reason), LINGER);
        }
        for (FrameConnection other : data) {
            if (other != connection) {
                other.finish(() -> { });
            }
        }
    }

    /** Adds a data connection; false when the link has ended meanwhile. */
    boolean add(FrameConnection connection) {
        data.add(connection);
        return isUp();
    }
}
