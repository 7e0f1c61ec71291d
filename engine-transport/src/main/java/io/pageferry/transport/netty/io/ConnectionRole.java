package io.pageferry.transport.netty.io;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.transport.wire.WireException;
import java.util.Locale;

/** What a connection is for. Its first messages show it; docs/PROTOCOL.md §1. */
public enum ConnectionRole {
    /** Not known yet. */
    UNDECIDED,
    /** Messages of one migration, or a question for its state. */
    CONTROL,
    /** Batches of pages, and their acknowledgements. */
    PAGES;

    /** Names a message as docs/PROTOCOL.md does. */
    static String frameOf(Message message) {
        return message.getClass().getSimpleName()
                .replaceAll("(?<=[a-z])(?=[A-Z])", "_").toUpperCase(Locale.ROOT);
    }

    /** Makes the error of a frame that does not fit. */
    WireException misplaced(String frame, ConnectionState state) {
        return new WireException(ErrorCode.PROTOCOL_VIOLATION, "frame type",
                frame + " does not belong on this connection (" + this + ", " + state + ")");
    }
}
