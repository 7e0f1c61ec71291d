package io.pageferry.core.codec;

import io.pageferry.core.words.Labelled;

/** The values of {@code --codec}. */
public enum CodecChoice implements Labelled {
    /** LZ4 or zstd where it makes the slower of processor and wire faster, as measured of late. */
    ADAPTIVE,
    /** Zero and raw pages only. */
    NONE,
    /** LZ4 tried on every page. */
    LZ4,
    /** Every page in blocks of zstd; LZ4 where one of the two sides has none. */
    ZSTD
}
