package io.pageferry.transport.wire;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.scan.JoinedChecksum;
import java.nio.ByteBuffer;

/**
 * Completes a batch whose payload already lies in its frame: header before it, descriptors right
 * behind what is used of it, so that the body is one run of bytes. docs/PROTOCOL.md §8.
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

    private PageBatchWriter() {
    }

    /**
     * Writes everything of a batch but its payload.
     *
     * @param batch  stamped, with 1 … {@link PageBatch#MAX_PAGES} pages
     * @param frame  little-endian; the batch's payload begins at {@code offset} +
     *               {@link WireLimits#BATCH_HEADER_BYTES}
     * @param offset where the body begins
     * @return length of the body in bytes
     */
    public static int write(PageBatch batch, ByteBuffer frame, int offset) {
        frame.putLong(offset + GENERATION, batch.generation());
        frame.putLong(offset + SEQUENCE, batch.sequence());
        frame.putLong(offset + ROUND, batch.round());
        frame.putInt(offset + REGION, batch.region());
        frame.putShort(offset + CHANNEL, (short) batch.channel());
        frame.putShort(offset + COUNT, (short) batch.count());
        frame.putInt(offset + PAYLOAD_BYTES, batch.payloadBytes());
        frame.putInt(offset + RESERVED, 0);
        int at = offset + WireLimits.BATCH_HEADER_BYTES + batch.payloadBytes();
        for (int i = 0; i < batch.count(); i++) {
            frame.putLong(at, batch.descriptorAt(i));
            at += WireLimits.DESCRIPTOR_BYTES;
        }
        return at - offset;
    }

    /**
     * Sums a body that {@link #write} completed, without reading its payload.
     *
     * @param batch  the same
     * @param frame  the same; its position and limit are changed
     * @param offset the same
     * @param with   reused; holds anything before and after
     * @return CRC32C of the body
     */
    public static int checksum(PageBatch batch, ByteBuffer frame, int offset,
            JoinedChecksum with) {
        with.reset();
        with.append(frame, offset, WireLimits.BATCH_HEADER_BYTES);
        with.append(batch.payloadChecksum(), batch.payloadBytes());
        with.append(frame, offset + WireLimits.BATCH_HEADER_BYTES + batch.payloadBytes(),
                batch.count() * WireLimits.DESCRIPTOR_BYTES);
        return with.value();
    }
}
