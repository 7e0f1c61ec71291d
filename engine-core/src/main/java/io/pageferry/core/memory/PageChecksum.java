package io.pageferry.core.memory;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** CRC32C of single pages. Confined to one thread. */
public final class PageChecksum {
    /** CRC32C of a page of zeros. */
    public static final int OF_ZEROS = ofZeros();

    private final CRC32C crc = new CRC32C();

    /** Makes the checksum. */
    public PageChecksum() {
    }

    /**
     * Sums one page.
     *
     * @param buffer holds it; position and limit are changed
     * @param at     offset of its first byte
     * @return its CRC32C
     */
    public int of(ByteBuffer buffer, int at) {
        crc.reset();
        buffer.limit(at + PageGeometry.PAGE_SIZE).position(at);
        crc.update(buffer);
        buffer.clear();
        return (int) crc.getValue();
    }

    private static int ofZeros() {
        CRC32C crc = new CRC32C();
        crc.update(new byte[PageGeometry.PAGE_SIZE]);
        return (int) crc.getValue();
    }
}
