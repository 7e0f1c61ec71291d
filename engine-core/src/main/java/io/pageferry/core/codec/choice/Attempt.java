package io.pageferry.core.codec.choice;

/** What is to be tried on a page. */
public enum Attempt {
    /** Nothing: it goes as it is. */
    NONE,
    /** LZ4, on the page alone. */
    LZ4,
    /** zstd, on a block of pages that this one joins. */
    ZSTD
}
