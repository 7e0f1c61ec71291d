package io.pageferry.agent.capture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** The bytes of docs/CAPTURE.md. */
final class CaptureFormat {
    static final int HEADER_BYTES = 16;
    static final int RECORD_BYTES = 24;
    static final int VERSION = 1;

    /** Most bytes of one record; docs/CAPTURE.md. */
    static final int MOST_BYTES = 1 << 20;

    /** As the octets stand in the file. */
    private static final long MAGIC = 0x89504743_0D0A1A0AL;
    private static final int SUMMED_OF_HEADER = 12;
    private static final int SUMMED_OF_RECORD = 20;

    private CaptureFormat() {
    }

    static ByteBuffer header(Capture.Side side) {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(Long.reverseBytes(MAGIC)).putShort((short) VERSION)
                .put((byte) side.number()).put((byte) 0);
        return header.putInt(sum(header, 0, SUMMED_OF_HEADER)).flip();
    }

    static boolean isMagic(ByteBuffer header) {
        return header.getLong(0) == Long.reverseBytes(MAGIC);
    }

    /** {@return whether the checksum of a file's header holds} */
    static boolean isHeaderSound(ByteBuffer header) {
        return header.getInt(SUMMED_OF_HEADER) == sum(header, 0, SUMMED_OF_HEADER);
    }

    /** Puts a record's header at the position of a buffer. */
    static void putRecord(ByteBuffer out, Capture.Kind kind, int connection, long nanos,
            int length) {
        int at = out.position();
        out.putInt(connection).putInt(kind.number()).putLong(nanos).putInt(length);
        out.putInt(sum(out, at, SUMMED_OF_RECORD));
    }

    /** {@return whether the checksum of a record's header holds} */
    static boolean isRecordSound(ByteBuffer record) {
        return record.getInt(SUMMED_OF_RECORD) == sum(record, 0, SUMMED_OF_RECORD);
    }

    private static int sum(ByteBuffer bytes, int from, int count) {
        CRC32C sum = new CRC32C();
        sum.update(bytes.duplicate().limit(from + count).position(from));
        return (int) sum.getValue();
    }
}
