package io.pageferry.transport.netty.io;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.transport.wire.WireException;

/** Receives the events of one connection, on its IO thread. */
public interface ConnectionListener {
    /**
     * The preambles were exchanged: messages may be sent.
     *
     * @throws WireException when the peer is refused here
     */
    void ready() throws WireException;

    /**
     * Takes a message.
     *
     * @param message what came
     * @return false when there is no room now: it is offered again
     * @throws WireException when the message does not fit
     */
    boolean message(Message message) throws WireException;

    /**
     * A message's body needs more memory than each connection has for it, or a TLS handshake does;
     * called before that is taken.
     *
     * @param bytes how much more
     */
    default void grows(int bytes) {
        // Who has proved something may send messages of any length that the wire allows.
    }

    /** The connection goes to another protocol: it is none of frames any more. */
    default void left() {
        // Of a connection that has a role already: it never goes.
    }

    /**
     * Nothing more will come. Called once.
     *
     * @param code   why
     * @param reason why, in words
     */
    void ended(ErrorCode code, String reason);
}
