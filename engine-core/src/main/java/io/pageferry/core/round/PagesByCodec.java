package io.pageferry.core.round;

/**
 * How many pages were sent by each codec.
 *
 * @param zero  pages of zeros
 * @param raw   pages sent as they are
 * @param lz4   pages sent as LZ4
 * @param delta pages sent as what changed since they were sent before
 * @param zstd  pages sent in blocks of zstd
 */
public record PagesByCodec(long zero, long raw, long lz4, long delta, long zstd) {
    /** {@return all of them} */
    public long sum() {
        return zero + raw + lz4 + delta + zstd;
    }

    /**
     * Adds others.
     *
     * @param more the others
     * @return the sum, codec by codec
     */
    public PagesByCodec plus(PagesByCodec more) {
        return new PagesByCodec(zero + more.zero, raw + more.raw, lz4 + more.lz4,
                delta + more.delta, zstd + more.zstd);
    }
}
