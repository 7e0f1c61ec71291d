package io.pageferry.transport.wire;

import io.pageferry.core.link.Message;

/**
 * The types of frames with their numbers and the lengths that a body may have; docs/PROTOCOL.md §7.
 * Numbers are never given twice.
 */
public enum MessageType {
    /** {@link Message.Hello}. */
    HELLO(0x01, 52, WireLimits.MAX_MESSAGE_BODY),
    /** {@link Message.Welcome}. */
    WELCOME(0x02, 40, 40),
    /** {@link Message.ChannelHello}. */
    CHANNEL_HELLO(0x03, 32, 32),
    /** {@link Message.ChannelReady}. */
    CHANNEL_READY(0x04, 16, 16),
    /** {@link Message.Resume}. */
    RESUME(0x05, 48, 48),
    /** A {@link io.pageferry.core.codec.PageBatch}; not a message. */
    BATCH(0x10, WireLimits.BATCH_HEADER_BYTES + 16, WireLimits.MAX_BATCH_BODY),
    /** {@link Message.Ack}. */
    ACK(0x11, 32, 32),
    /** {@link Message.RoundEnd}. */
    ROUND_END(0x12, 24, 16 + 8 * Message.MAX_CHANNELS),
    /** {@link Message.RoundApplied}. */
    ROUND_APPLIED(0x13, 8, 8),
    /** {@link Message.RoundVerified}. */
    ROUND_VERIFIED(0x14, 8, 8),
    /** {@link Message.PagesOwed}. */
    PAGES_OWED(0x15, 16, 8 + 8 * Message.MAX_OWED_PAGES),
    /** {@link Message.Switchover}. */
    SWITCHOVER(0x20, 8, 8),
    /** {@link Message.StateChunk}. */
    STATE_CHUNK(0x21, 25, 24 + Message.MAX_CHUNK_BYTES),
    /** {@link Message.Complete}. */
    COMPLETE(0x22, 48, 40 + 8 * Message.MAX_CHANNELS),
    /** {@link Message.Ready}. */
    READY(0x23, 32, 32),
    /** {@link Message.Mismatch}. */
    MISMATCH(0x24, 32, 32 + 8 * Message.MAX_BLOCKS),
    /** {@link Message.PageChecksumsRequest}. */
    PAGE_CHECKSUMS_REQUEST(0x25, 16, 16),
    /** {@link Message.PageChecksums}. */
    PAGE_CHECKSUMS(0x26, 20, 16 + 4 * Message.MAX_TABLE_PAGES),
    /** {@link Message.Grant}. */
    GRANT(0x27, 16, 16),
    /** {@link Message.Running}. */
    RUNNING(0x28, 16, 16),
    /** {@link Message.Refused}. */
    REFUSED(0x29, 10, 10 + Message.MAX_REASON_BYTES),
    /** {@link Message.Returned}. */
    RETURNED(0x2a, 10, 10 + Message.MAX_REASON_BYTES),
    /** {@link Message.Cancel}. */
    CANCEL(0x30, 12, 12 + Message.MAX_REASON_BYTES),
    /** {@link Message.Status}. */
    STATUS(0x31, 24, 24),
    /** {@link Message.StatusUnknown}. */
    STATUS_UNKNOWN(0x32, 10, 10 + Message.MAX_REASON_BYTES),
    /** {@link Message.Farewell}. */
    FAREWELL(0x33, 24, 24),
    /** {@link Message.StreamCredit}. */
    STREAM_CREDIT(0x38, 16, 16),
    /** {@link Message.StreamData}. */
    STREAM_DATA(0x39, 9, 8 + Message.MAX_STREAM_BYTES),
    /** {@link Message.StreamEnd}. */
    STREAM_END(0x3a, 8, 8),
    /** {@link Message.Heartbeat}. */
    HEARTBEAT(0x40, 8, 8),
    /** {@link Message.Failure}. */
    FAILURE(0x41, 4, 4 + Message.MAX_REASON_BYTES),
    /** {@link Message.Challenge}; optional. */
    CHALLENGE(FrameHeader.OPTIONAL | 0x42, Message.Proving.BYTES, Message.Proving.BYTES),
    /** {@link Message.Proof}; optional. */
    PROOF(FrameHeader.OPTIONAL | 0x43, Message.Proving.BYTES, Message.Proving.BYTES),
    /** {@link Message.MemoryAccess}; optional. */
    MEMORY_ACCESS(FrameHeader.OPTIONAL | 0x44, 3, 2 + Message.MemoryAccess.MAX_BYTES);

    /** By all bits of the number but the one that marks optional ones. */
    private static final MessageType[] BY_NUMBER = new MessageType[0x45];

    static {
        for (MessageType type : values()) {
            BY_NUMBER[type.number & ~FrameHeader.OPTIONAL] = type;
        }
    }

    private final int number;
    private final int shortest;
    private final int longest;

    MessageType(int number, int shortest, int longest) {
        this.number = number;
        this.shortest = shortest;
        this.longest = longest;
    }

    /**
     * Finds a type.
     *
     * @param number as on the wire
     * @return the type, or null for one that this version does not have
     */
    public static MessageType of(int number) {
        int index = number & ~FrameHeader.OPTIONAL;
        MessageType type = index < BY_NUMBER.length ? BY_NUMBER[index] : null;
        return type != null && type.number == number ? type : null;
    }

    /** {@return the number on the wire} */
    public int number() {
        return number;
    }

    /** {@return fewest bytes of a body} */
    public int shortest() {
        return shortest;
    }

    /** {@return most bytes of a body} */
    public int longest() {
        return longest;
    }
}
