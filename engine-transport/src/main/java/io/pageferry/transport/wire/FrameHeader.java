package io.pageferry.transport.wire;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Where a frame's header keeps what; docs/PROTOCOL.md §6. Works on little-endian buffers, at
 * absolute indexes, and allocates nothing.
 */
public final class FrameHeader {
    /** Bit of a type: a peer that does not know the type may skip the frame. */
    public static final int OPTIONAL = 1 << 31;

    static final int TYPE = 0;
    static final int LENGTH = 4;
    static final int NUMBER = 8;
    static final int BODY_CRC = 16;
    static final int SUMMED = 20;
    static final int RESERVED = 24;
    static final int HEADER_CRC = 28;

    private FrameHeader() {
    }

    /**
     * Writes what a frame's maker knows; {@link Sealer} adds the rest. The checksum covers the
     * whole body.
     *
     * @param frame      little-endian
     * @param offset     where the header begins
     * @param type       a type's number
     * @param bodyLength bytes behind the header
     */
    public static void begin(ByteBuffer frame, int offset, int type, int bodyLength) {
        begin(frame, offset, type, bodyLength, bodyLength);
    }

    /**
     * Does the same for a body of which only the beginning is summed by its frame.
     *
     * @param frame      little-endian
     * @param offset     where the header begins
     * @param type       a type's number
     * @param bodyLength bytes behind the header
     * @param summed     bytes of them that the checksum covers
     */
    public static void begin(ByteBuffer frame, int offset, int type, int bodyLength, int summed) {
        frame.putInt(offset + TYPE, type);
        frame.putInt(offset + LENGTH, bodyLength);
        frame.putInt(offset + SUMMED, summed);
    }

    /**
     * Reads a header's body length.
     *
     * @param frame  little-endian
     * @param offset where the header begins
     * @return bytes behind the header, unchecked
     */
    public static int bodyLength(ByteBuffer frame, int offset) {
        return frame.getInt(offset + LENGTH);
    }

    /** Numbers and seals the frames of one direction of one connection. For one thread. */
    public static final class Sealer {
        private final CRC32C crc = new CRC32C();
        private long number;

        /** Makes one whose first frame has the number 1. */
        public Sealer() {
            // Nothing to set: the first frame raises 0 to 1.
        }

        /**
         * Gives a frame its number and its checksums; it must be sent next.
         *
         * @param frame  little-endian, begun at {@code offset}; its position and limit are changed
         * @param offset where the header begins
         */
        public void seal(ByteBuffer frame, int offset) {
            int body = offset + WireLimits.FRAME_HEADER_BYTES;
            frame.putInt(offset + BODY_CRC,
                    crcOf(crc, frame, body, frame.getInt(offset + SUMMED)));
            frame.putLong(offset + NUMBER, ++number);
            frame.putInt(offset + RESERVED, 0);
            frame.putInt(offset + HEADER_CRC, crcOf(crc, frame, offset, HEADER_CRC));
        }
    }

    static int crcOf(CRC32C crc, ByteBuffer buffer, int offset, int length) {
        crc.reset();
        crc.update(buffer.limit(offset + length).position(offset));
        buffer.clear();
        return (int) crc.getValue();
    }
}
