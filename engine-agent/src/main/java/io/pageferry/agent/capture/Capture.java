package io.pageferry.agent.capture;

import java.nio.ByteBuffer;

/** What a capture consists of; docs/CAPTURE.md. */
public final class Capture {
    private Capture() {
    }

    /** Which side made it. */
    public enum Side {
        /** The one that opens connections. */
        SOURCE(1),
        /** The one that accepts them. */
        TARGET(2);

        private final int number;

        Side(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }
    }

    /** What a record tells. */
    public enum Kind {
        /** The connection was opened. */
        OPENED(1),
        /** Bytes came. */
        RECEIVED(2),
        /** Bytes were given to the socket. */
        SENT(3),
        /** The peer sends no more. */
        INPUT_ENDED(4),
        /** The connection is closed. */
        CLOSED(5),
        /** The capture is incomplete from here on. */
        INCOMPLETE(6),
        /** The end of a capture that is complete. */
        END(7);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }
    }

    /**
     * One record.
     *
     * @param kind       what it tells
     * @param connection its number, from 1; 0 where it tells of the capture itself
     * @param nanos      monotonic, of the side that made the capture
     * @param bytes      little-endian, from position to limit; the reader's again with the next one
     */
    public record Event(Kind kind, int connection, long nanos, ByteBuffer bytes) { }
}
