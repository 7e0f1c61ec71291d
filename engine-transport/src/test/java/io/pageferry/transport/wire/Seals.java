package io.pageferry.transport.wire;

import io.pageferry.core.codec.page.Lz4Codec;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.memory.PageGeometry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * Computes the sums of bytes that were changed, as a peer that means harm does: by the figures of
 * docs/PROTOCOL.md §5, §6 and §8, and as far as the bytes go.
 */
public final class Seals {
    private static final int PREAMBLE = 16;
    private static final int PREAMBLE_SUM = 12;
    private static final int HEADER = 32;
    private static final int LENGTH = 4;
    private static final int BODY_SUM = 16;
    private static final int SUMMED = 20;
    private static final int HEADER_SUM = 28;
    private static final int BATCH_HEADER = 40;
    private static final int COUNT = 30;
    private static final int PAYLOAD = 32;
    private static final int ENTRY = 16;
    private static final int ENTRY_LENGTH = 5;
    private static final int ENTRY_CODEC = 7;
    private static final int ENTRY_SUM = 8;

    private final CRC32C crc = new CRC32C();
    private final PageCodec lz4 = new Lz4Codec();
    private final ByteBuffer page = ByteBuffer.allocateDirect(PageGeometry.PAGE_SIZE);

    /** Makes one, for one thread. */
    public Seals() {
        // Nothing to set.
    }

    /**
     * Seals a preamble.
     *
     * @param bytes from index 0; too short, they stay as they are
     */
    public void preamble(byte[] bytes) {
        if (bytes.length >= PREAMBLE) {
            view(bytes).putInt(PREAMBLE_SUM, sum(bytes, 0, PREAMBLE_SUM));
        }
    }

    /**
     * Seals frames that follow each other, whatever lengths and numbers they say.
     *
     * @param bytes hold frames
     * @param from  where the first begins
     */
    public void frames(byte[] bytes, int from) {
        long at = from;
        while (at + HEADER <= bytes.length) {
            int length = view(bytes).getInt((int) at + LENGTH);
            sums(bytes, (int) at);
            at += HEADER + Integer.toUnsignedLong(length);
        }
    }

    /**
     * Makes one frame of all bytes: its type, number and lengths are right, and so are its sums.
     *
     * @param bytes the frame
     * @param type  its type
     */
    public void message(byte[] bytes, MessageType type) {
        if (bytes.length >= HEADER) {
            view(bytes).putInt(0, type.number()).putLong(8, 1)
                    .putInt(LENGTH, bytes.length - HEADER).putInt(SUMMED, bytes.length - HEADER);
            sums(bytes, 0);
        }
    }

    /**
     * Makes one frame of a batch of all bytes: its lengths fit its count.
     *
     * @param bytes the frame
     */
    public void batch(byte[] bytes) {
        if (bytes.length >= HEADER + BATCH_HEADER) {
            int body = bytes.length - HEADER;
            int count = Short.toUnsignedInt(view(bytes).getShort(HEADER + COUNT));
            int summed = Math.min(body, BATCH_HEADER + ENTRY * count);
            view(bytes).putInt(0, MessageType.BATCH.number()).putLong(8, 1).putInt(LENGTH, body)
                    .putInt(SUMMED, summed).putInt(HEADER + PAYLOAD, body - summed);
            sums(bytes, 0);
        }
    }

    /**
     * Gives the directory of a batch the sum of each page that its payload decodes to, then does
     * as {@link #batch}.
     *
     * @param bytes the frame
     */
    public void pages(byte[] bytes) {
        ByteBuffer in = view(bytes);
        if (bytes.length >= HEADER + BATCH_HEADER) {
            int count = Short.toUnsignedInt(in.getShort(HEADER + COUNT));
            int at = HEADER + BATCH_HEADER + ENTRY * count;
            for (int i = 0; i < count && at <= bytes.length; i++) {
                int entry = HEADER + BATCH_HEADER + ENTRY * i;
                int length = Short.toUnsignedInt(in.getShort(entry + ENTRY_LENGTH));
                if (decode(in, at, length, in.get(entry + ENTRY_CODEC))) {
                    crc.reset();
                    crc.update(page.clear());
                    in.putInt(entry + ENTRY_SUM, (int) crc.getValue());
                }
                at += length;
            }
            batch(bytes);
        }
    }

    private boolean decode(ByteBuffer in, int at, int length, int codec) {
        if (length > in.capacity() - at) {
            return false;
        }
        if (codec == PageCodec.ZERO) {
            page.put(0, new byte[PageGeometry.PAGE_SIZE]);
            return true;
        }
        if (codec == PageCodec.RAW && length == PageGeometry.PAGE_SIZE) {
            page.put(0, in, at, length);
            return true;
        }
        try {
            lz4.decode(in, at, codec == PageCodec.LZ4 ? length : 0, page, 0);
            return true;
        } catch (PageDecodeException e) {
            return false;
        }
    }

    private void sums(byte[] bytes, int at) {
        long summed = Integer.toUnsignedLong(view(bytes).getInt(at + SUMMED));
        int body = (int) Math.min(summed, bytes.length - at - HEADER);
        view(bytes).putInt(at + BODY_SUM, sum(bytes, at + HEADER, body));
        view(bytes).putInt(at + HEADER_SUM, sum(bytes, at, HEADER_SUM));
    }

    private int sum(byte[] bytes, int from, int length) {
        crc.reset();
        crc.update(bytes, from, length);
        return (int) crc.getValue();
    }

    private static ByteBuffer view(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
