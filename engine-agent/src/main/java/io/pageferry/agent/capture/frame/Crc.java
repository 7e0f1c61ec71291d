package io.pageferry.agent.capture.frame;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** CRC32C as in PROTOCOL.md §4, by the JDK. */
public final class Crc {
    private Crc() {
    }

    /**
     * Sums some bytes of a buffer.
     *
     * @param bytes position and limit mean nothing
     * @param from  index of the first
     * @param count how many
     * @return their CRC32C
     */
    public static int of(ByteBuffer bytes, int from, int count) {
        CRC32C sum = new CRC32C();
        sum.update(bytes.duplicate().clear().limit(from + count).position(from));
        return (int) sum.getValue();
    }
}
