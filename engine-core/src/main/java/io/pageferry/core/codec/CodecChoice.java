package io.pageferry.core.codec;

/** What {@code --codec} may say. */
public enum CodecChoice {
    /** LZ4, left out for a while where it has not helped. */
    ADAPTIVE,
    /** Zero and raw pages only. */
    NONE,
    /** LZ4 tried on every page. */
    LZ4
}
