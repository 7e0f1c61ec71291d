package io.pageferry.core.dirty;

import java.lang.foreign.MemorySegment;

/**
 * What a tracker may learn of the pages that were sent: one that compares contents implements this
 * beside {@link DirtyTracker}. Called for each page before its batch goes out: by the migration's
 * one thread, or where a round has several lanes by each of theirs, for different pages.
 */
public interface SentPages {
    /** Learns nothing. */
    SentPages NONE = new SentPages() {
        @Override
        public void sent(long page, MemorySegment bytes, long at) {
            // Contents are not compared.
        }

        @Override
        public void sentZero(long page) {
            // Contents are not compared.
        }
    };

    /**
     * Tells two.
     *
     * @param first  told first
     * @param second told second
     * @return both as one
     */
    static SentPages both(SentPages first, SentPages second) {
        return new SentPages() {
            @Override
            public void sent(long page, MemorySegment bytes, long at) {
                first.sent(page, bytes, at);
                second.sent(page, bytes, at);
            }

            @Override
            public void sentZero(long page) {
                first.sentZero(page);
                second.sentZero(page);
            }
        };
    }

    /**
     * A page is being sent.
     *
     * @param page  global index
     * @param bytes holds the very bytes that are sent, 4096 of them: the one stable copy, never the
     *              live page, which may have changed since. Valid during the call only
     * @param at    offset of the first
     */
    void sent(long page, MemorySegment bytes, long at);

    /**
     * A page is being sent as zeros.
     *
     * @param page global index
     */
    void sentZero(long page);
}
