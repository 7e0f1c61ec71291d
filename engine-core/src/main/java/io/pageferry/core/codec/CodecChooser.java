package io.pageferry.core.codec;

/**
 * Decides whether the next page is worth a try of LZ4. After a run of pages that did not shrink it
 * lets pages pass raw, twice as many each time, and then probes again: incompressible memory costs
 * one try in {@link #MAX_SKIP} pages, and content that changes is noticed within as many.
 */
final class CodecChooser {
    /** Pages in a row without gain before skipping begins: one could be chance. */
    static final int PATIENCE = 8;

    /** Most pages passed raw between two probes. */
    static final int MAX_SKIP = 256;

    private final CodecChoice choice;
    private int failures;
    private int skip;
    private int left;

    CodecChooser(CodecChoice choice) {
        this.choice = choice;
    }

    /** {@return whether to try LZ4 on the next page} */
    boolean tryCompression() {
        if (choice != CodecChoice.ADAPTIVE) {
            return choice == CodecChoice.LZ4;
        }
        if (left > 0) {
            left--;
            return false;
        }
        return true;
    }

    /** Learns how a try went. */
    void tried(boolean gained) {
        if (gained) {
            failures = 0;
            skip = 0;
        } else if (++failures >= PATIENCE) {
            skip = Math.min(MAX_SKIP, Math.max(PATIENCE, 2 * skip));
            left = skip;
        }
    }
}
