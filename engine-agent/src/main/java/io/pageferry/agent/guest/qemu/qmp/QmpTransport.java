package io.pageferry.agent.guest.qemu.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import java.io.IOException;

/**
 * The way to a monitor and back, of objects of JSON: a socket of QEMU's own, or whoever holds it
 * and passes on what others have to say. Any thread.
 */
public interface QmpTransport {
    /** What comes in, on a thread of the transport. */
    interface Handler {
        /**
         * Takes one object: the greeting first, then replies and events.
         *
         * @param message the object
         * @throws QmpException where it makes no sense: this ends the transport
         */
        void message(JsonNode message) throws QmpException;

        /**
         * Called once, by the first to notice; nothing comes afterwards but what is in flight.
         *
         * @param reason why it ended
         */
        void ended(QmpException reason);
    }

    /** Opens one. */
    @FunctionalInterface
    interface Opener {
        /**
         * Connects and begins to read.
         *
         * @param handler receives what comes
         * @return the transport, null where another client is served
         * @throws IOException when there is no monitor
         */
        QmpTransport open(Handler handler) throws IOException;
    }

    /**
     * Sends objects, one a line.
     *
     * @param lines    each ends with a line feed
     * @param deadline by System.nanoTime
     * @throws QmpException when they cannot be sent
     */
    void send(String lines, long deadline) throws QmpException;

    /**
     * Throws the reason for the end, if this has ended.
     *
     * @throws QmpException that reason
     */
    void check() throws QmpException;

    /** {@return false once it ended} */
    boolean isOpen();

    /** {@return what leads there, for people} */
    String name();

    /**
     * Ends it; the first reason stands.
     *
     * @param reason why
     */
    void close(QmpException reason);

    /**
     * Makes a reason for an end.
     *
     * @param why for people
     * @return it
     */
    default QmpException closed(String why) {
        return QmpException.of(Kind.CLOSED, "the monitor " + name() + " is gone: " + why);
    }
}
