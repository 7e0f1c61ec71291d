package io.pageferry.core.codec.choice;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.PageGeometry;

/** What one compressor takes for a page and makes of it, as believed of late. */
final class CompressorRates {
    /** Beyond so many times the usual, a reading holds another thread's turn on the processor. */
    private static final double OUTLIER = 8;

    /** Of the first length: more than of others, for what was believed before was a guess. */
    private static final double FIRST_WEIGHT = 0.5;

    private static final double ENTRY_BYTES = PageBatch.DIRECTORY_ENTRY_BYTES;

    private double nanos;
    private double bytes = (PageGeometry.PAGE_SIZE + ENTRY_BYTES) / 2;
    private boolean made;

    boolean isKnown() {
        return nanos > 0;
    }

    /** Of the processor; 0 where nothing was measured yet. */
    double nanos() {
        return nanos;
    }

    /** On the wire, with its entry in the directory. */
    double bytes() {
        return bytes;
    }

    /** A page took so long; the reading counts by a weight, 0 … 1. */
    void took(double measured, double weight) {
        double usual = nanos == 0 ? measured : Math.min(measured, OUTLIER * nanos);
        nanos += nanos == 0 ? usual : weight * (usual - nanos);
    }

    /** A page became so long. */
    void made(double measured, double weight) {
        bytes += (made ? weight : Math.max(weight, FIRST_WEIGHT))
                * (measured + ENTRY_BYTES - bytes);
        made = true;
    }
}
