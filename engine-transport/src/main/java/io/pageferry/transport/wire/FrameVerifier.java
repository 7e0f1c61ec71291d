package io.pageferry.transport.wire;

import io.pageferry.core.codec.PageBatch;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Checks the frames of one direction of one connection: header before body, checksum before
 * fields, lengths before memory. For one thread; allocates only when it refuses.
 */
public final class FrameVerifier {
    private final CRC32C crc = new CRC32C();
    private long number;
    private int typeNumber;
    private MessageType type;
    private int bodyLength;
    private int summed;
    private int bodyCrc;

    /** Makes one that expects frame 1. */
    public FrameVerifier() {
        // Nothing to set: the first frame must have the number 1.
    }

    /**
     * Checks a header and remembers its fields about the body.
     *
     * @param buffer little-endian; its position and limit are changed
     * @param offset where the header begins
     * @throws WireException when it does not hold
     */
    public void header(ByteBuffer buffer, int offset) throws WireException {
        int expected = buffer.getInt(offset + FrameHeader.HEADER_CRC);
        int found = FrameHeader.crcOf(crc, buffer, offset, FrameHeader.HEADER_CRC);
        if (expected != found) {
            throw WireException.corrupt("frame header checksum", expected, found);
        }
        if (buffer.getInt(offset + FrameHeader.RESERVED) != 0) {
            throw WireException.violation("frame reserved", "not 0");
        }
        long next = buffer.getLong(offset + FrameHeader.NUMBER);
        if (next != number + 1) {
            throw WireException.violation("frame number", next + " after " + number);
        }
        number = next;
        typeNumber = buffer.getInt(offset + FrameHeader.TYPE);
        type = MessageType.of(typeNumber);
        bodyLength = buffer.getInt(offset + FrameHeader.LENGTH);
        bodyCrc = buffer.getInt(offset + FrameHeader.BODY_CRC);
        summed = buffer.getInt(offset + FrameHeader.SUMMED);
        checkType();
        checkSummed();
    }

    private void checkType() throws WireException {
        if (type == null && (typeNumber & FrameHeader.OPTIONAL) == 0) {
            throw WireException.violation("frame type",
                    "0x" + Integer.toHexString(typeNumber) + " is unknown and not optional");
        }
        int shortest = type == null ? 0 : type.shortest();
        int longest = type == null ? WireLimits.MAX_MESSAGE_BODY : type.longest();
        if (bodyLength < shortest || bodyLength > longest) {
            throw WireException.violation("frame body length",
                    Integer.toUnsignedString(bodyLength) + " for " + name() + ", allowed "
                            + shortest + " to " + longest);
        }
    }

    /** A batch is summed up to its payload, which fits a slot; everything else as a whole. */
    private void checkSummed() throws WireException {
        int directory = summed - WireLimits.BATCH_HEADER_BYTES;
        boolean holds = type != MessageType.BATCH ? summed == bodyLength
                : directory > 0 && directory % PageBatch.DIRECTORY_ENTRY_BYTES == 0
                        && directory <= WireLimits.MAX_DIRECTORY_BYTES && summed <= bodyLength
                        && bodyLength - summed <= PageBatch.PAYLOAD_CAPACITY;
        if (!holds) {
            throw WireException.violation("frame summed length", Integer.toUnsignedString(summed)
                    + " of " + bodyLength + " bytes of " + name());
        }
    }

    /**
     * Checks the body that belongs to the last header: all of a message, of a batch its header and
     * directory. What its payload holds is proved page by page, once it is in the image.
     *
     * @param buffer its position and limit are changed
     * @param offset where the body begins
     * @throws WireException when its checksum is wrong
     */
    public void body(ByteBuffer buffer, int offset) throws WireException {
        int found = FrameHeader.crcOf(crc, buffer, offset, summed);
        if (found != bodyCrc) {
            throw WireException.corrupt("body checksum of " + name(), bodyCrc, found);
        }
    }

    /** {@return the last header's type, null for an optional one that we do not know} */
    public MessageType type() {
        return type;
    }

    /** {@return the last header's body length, within its type's limits} */
    public int bodyLength() {
        return bodyLength;
    }

    /** {@return bytes of the last header's body that its checksum covers} */
    public int summedLength() {
        return summed;
    }

    private String name() {
        return type == null ? "type 0x" + Integer.toHexString(typeNumber) : type.name();
    }
}
