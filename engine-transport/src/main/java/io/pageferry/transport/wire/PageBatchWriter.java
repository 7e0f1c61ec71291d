package io.pageferry.transport.wire;

import io.pageferry.core.codec.PageBatch;
import java.nio.ByteBuffer;

/**
 * Completes a batch whose payload already lies in its slot: header and directory go right before
 * it, so that the frame is one run of bytes. docs/PROTOCOL.md §8.
 */
public final class PageBatchWriter {
    static final int GENERATION = 0;
    static final int SEQUENCE = 8;
    static final int ROUND = 16;
    static final int REGION = 24;
    static final int CHANNEL = 28;
    static final int COUNT = 30;
    static final int PAYLOAD_BYTES = 32;
    static final int RESERVED = 36;

    static final int DESCRIPTOR = 0;
    static final int CHECKSUM = 8;
    static final int REFERENCE = 12;

    private PageBatchWriter() {
    }

    /**
     * Counts what stands before a batch's payload.
     *
     * @param batch with all its pages
     * @return bytes of header and directory
     */
    public static int directoryEnd(PageBatch batch) {
        return WireLimits.BATCH_HEADER_BYTES + batch.count() * PageBatch.DIRECTORY_ENTRY_BYTES;
    }

    /**
     * Writes a batch's frame but for its payload and what {@link FrameHeader.Sealer} adds.
     *
     * @param batch     stamped, with 1 … {@link PageBatch#MAX_PAGES} pages
     * @param frame     little-endian
     * @param payloadAt where the batch's payload begins; header and directory end there
     * @return where the frame begins
     */
    public static int write(PageBatch batch, ByteBuffer frame, int payloadAt) {
        int offset = payloadAt - directoryEnd(batch);
        frame.putLong(offset + GENERATION, batch.generation());
        frame.putLong(offset + SEQUENCE, batch.sequence());
        frame.putLong(offset + ROUND, batch.round());
        frame.putInt(offset + REGION, batch.region());
        frame.putShort(offset + CHANNEL, (short) batch.channel());
        frame.putShort(offset + COUNT, (short) batch.count());
        frame.putInt(offset + PAYLOAD_BYTES, batch.payloadBytes());
        frame.putInt(offset + RESERVED, 0);
        int at = offset + WireLimits.BATCH_HEADER_BYTES;
        for (int i = 0; i < batch.count(); i++) {
            frame.putLong(at + DESCRIPTOR, batch.descriptorAt(i));
            frame.putInt(at + CHECKSUM, batch.checksumAt(i));
            frame.putInt(at + REFERENCE, batch.referenceAt(i));
            at += PageBatch.DIRECTORY_ENTRY_BYTES;
        }
        int start = offset - WireLimits.FRAME_HEADER_BYTES;
        FrameHeader.begin(frame, start, MessageType.BATCH.number(),
                at - offset + batch.payloadBytes(), at - offset);
        return start;
    }
}
