package io.pageferry.core.memory.scan;

import io.pageferry.core.memory.PageGeometry;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * CRC32C of pieces put one behind the other, from the CRC32C of each piece. A page that is sent as
 * it is was summed already; to read it again for the checksum of its frame, on another core whose
 * caches do not hold it, took two fifths of the time of the thread that writes to the socket.
 *
 * <p>Appending n bytes multiplies the sum so far by x⁸ⁿ modulo the polynomial, and adds theirs (M.
 * Adler, zlib's crc32_combine; the polynomial is Castagnoli's, bits reflected, RFC 3720). Confined
 * to one thread; allocates nothing.
 */
public final class JoinedChecksum {
    private static final int POLYNOMIAL = 0x82F63B78;
    private static final int ONE = 1 << 31;

    /** Powers x⁸ⁿ for n bytes, 0 … 4096. */
    private static final int[] SHIFTS = shifts();
    /** What each byte of a sum becomes when a page is appended, lowest byte first. */
    private static final int[][] PAGE = pageTables();

    private final CRC32C crc = new CRC32C();
    private int sum;

    /** Makes one of nothing. */
    public JoinedChecksum() {
        // The sum of no bytes is 0.
    }

    /** Begins anew. */
    public void reset() {
        sum = 0;
    }

    /**
     * Appends a page.
     *
     * @param itsSum CRC32C of its 4096 bytes
     */
    public void appendPage(int itsSum) {
        shiftPage();
        sum ^= itsSum;
    }

    private void shiftPage() {
        sum = PAGE[0][sum & 0xff] ^ PAGE[1][sum >>> 8 & 0xff] ^ PAGE[2][sum >>> 16 & 0xff]
                ^ PAGE[3][sum >>> 24];
    }

    /**
     * Appends bytes, reading them.
     *
     * @param buffer holds them; position and limit are changed
     * @param at     offset of the first
     * @param length how many, ≥ 0
     */
    public void append(ByteBuffer buffer, int at, int length) {
        crc.reset();
        crc.update(buffer.limit(at + length).position(at));
        buffer.clear();
        append((int) crc.getValue(), length);
    }

    /**
     * Appends bytes by their sum.
     *
     * @param itsSum CRC32C of them
     * @param length how many, ≥ 0
     */
    public void append(int itsSum, int length) {
        for (int pages = length / PageGeometry.PAGE_SIZE; pages > 0; pages--) {
            shiftPage();
        }
        sum = multiply(SHIFTS[length % PageGeometry.PAGE_SIZE], sum) ^ itsSum;
    }

    /** {@return CRC32C of all that was appended} */
    public int value() {
        return sum;
    }

    private static int[] shifts() {
        int[] shifts = new int[PageGeometry.PAGE_SIZE + 1];
        shifts[0] = ONE;
        for (int n = 1; n < shifts.length; n++) {
            int power = shifts[n - 1];
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                power = timesX(power);
            }
            shifts[n] = power;
        }
        return shifts;
    }

    private static int[][] pageTables() {
        int[][] tables = new int[Integer.BYTES][256];
        for (int i = 0; i < tables.length; i++) {
            for (int b = 0; b < tables[i].length; b++) {
                tables[i][b] = multiply(SHIFTS[PageGeometry.PAGE_SIZE], b << Byte.SIZE * i);
            }
        }
        return tables;
    }

    private static int multiply(int a, int b) {
        int product = 0;
        int shifted = b;
        for (int rest = a; rest != 0; rest <<= 1) {
            if (rest < 0) {
                product ^= shifted;
            }
            shifted = timesX(shifted);
        }
        return product;
    }

    private static int timesX(int power) {
        return (power & 1) == 0 ? power >>> 1 : power >>> 1 ^ POLYNOMIAL;
    }
}
