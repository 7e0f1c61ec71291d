package io.pageferry.transport.local;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Link;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import java.util.Queue;

/** What the two ends have in common: messages, and the loss. Confined to one thread. */
abstract class LocalEnd implements Link {
    /** Things delivered by one poll: its caller has other work too. */
    static final int MOST = 64;

    final LocalConnection connection;
    private final Queue<Message> inbox;
    private final Queue<Message> outbox;
    private boolean closed;
    private boolean lossTold;

    LocalEnd(LocalConnection connection, Queue<Message> inbox, Queue<Message> outbox) {
        this.connection = connection;
        this.inbox = inbox;
        this.outbox = outbox;
    }

    /** Delivers what came by the data channels; returns how much that was. */
    abstract int pollChannels(LinkHandler handler);

    @Override
    public final boolean send(Message message) {
        return isUp() && outbox.offer(message);
    }

    @Override
    public final int poll(LinkHandler handler) {
        if (closed || lossTold) {
            return 0;
        }
        // Looked at before the queues: what they hold then is all that there will be.
        LocalConnection.Loss loss = connection.loss();
        int delivered = pollChannels(handler);
        Message message;
        while (delivered < MOST && !closed && (message = inbox.poll()) != null) {
            delivered++;
            if (message instanceof Message.Failure failure) {
                // Nothing comes after it: its sender gave up.
                connection.lose(failure.code(), failure.reason());
            }
            handler.onMessage(message);
        }
        if (loss != null && delivered == 0 && !closed) {
            lossTold = true;
            handler.onLost(loss.code(), loss.reason());
            return 1;
        }
        return delivered;
    }

    @Override
    public final boolean isUp() {
        return !closed && !connection.isLost();
    }

    final boolean isClosed() {
        return closed;
    }

    @Override
    public final void close() {
        closed = true;
        connection.lose(ErrorCode.LINK_LOST, "the other side closed the link");
    }
}
