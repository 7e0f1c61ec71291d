package io.pageferry.core.codec.choice;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.PageGeometry;

/**
 * What a page costs where pages are compressed, as believed of late: some go as what changed of
 * them, on some a compressor is tried, and the others pass raw.
 */
final class PageCosts {
    /** Bytes on the wire of a raw page. */
    static final double RAW_BYTES = PageGeometry.PAGE_SIZE + PageBatch.DIRECTORY_ENTRY_BYTES;

    /** By how much one page changes what is believed. */
    static final double SAMPLE_WEIGHT = 1.0 / 64;

    final CompressorRates lz4 = new CompressorRates();
    final CompressorRates zstd = new CompressorRates();
    final CompressorRates delta = new CompressorRates();

    private double deltaShare;
    /** Of those that do not go as what changed of them. */
    private double triedShare = 1;

    /** A page did not go as what changed of it; a compressor is tried on it or not. */
    void sorted(boolean worthATry) {
        deltaShare -= SAMPLE_WEIGHT * deltaShare;
        triedShare += SAMPLE_WEIGHT * ((worthATry ? 1 : 0) - triedShare);
    }

    /** A page became a difference of so many bytes. */
    void madeDelta(int length) {
        deltaShare += SAMPLE_WEIGHT * (1 - deltaShare);
        delta.made(length, SAMPLE_WEIGHT);
    }

    /** Whether there are pages on which a compressor is tried. */
    boolean triesAny() {
        return triedShare > 0;
    }

    /** What compressing takes of the processor for a page, with one of the compressors. */
    double nanos(CompressorRates one) {
        return tried() * one.nanos() + deltaShare * delta.nanos();
    }

    /** What a page takes of the wire. */
    double bytes(CompressorRates one) {
        return tried() * one.bytes() + deltaShare * delta.bytes()
                + (1 - tried() - deltaShare) * RAW_BYTES;
    }

    private double tried() {
        return triedShare * (1 - deltaShare);
    }
}
