package io.pageferry.core.memory;

/**
 * The digest of a memory image: the sum, modulo 2⁶⁴, of {@link #term} over all pages. The sum
 * does not depend on order, so both sides keep it up as pages come and go; the mixing makes a page
 * at a wrong place, or two pages swapped, change it.
 */
final class ImageDigest {
    private ImageDigest() {
    }

    /**
     * Mixes one page's place and checksum.
     *
     * @param page global index
     * @param crc  CRC32C of its bytes
     * @return its part of the digest
     */
    static long term(long page, int crc) {
        return mix64(mix64(page + 0x9E3779B97F4A7C15L) + (crc & 0xFFFFFFFFL));
    }

    /** David Stafford's variant 13 of the MurmurHash3 finaliser, as in splitmix64. */
    private static long mix64(long value) {
        long z = value;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
