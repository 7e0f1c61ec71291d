package io.pageferry.transport.wire;

import io.pageferry.core.codec.PageBatch;

/**
 * Every limit of the wire that is not the core's own, stated once; docs/PROTOCOL.md §11. All are
 * checked before memory is allocated for what they bound.
 */
public final class WireLimits {
    /** Lowest version that we speak. */
    public static final int LOWEST_VERSION = 1;

    /** Highest version that we speak. */
    public static final int HIGHEST_VERSION = 1;

    /** Bytes of a frame's header. */
    public static final int FRAME_HEADER_BYTES = 32;

    /** Bytes of a batch's header. */
    public static final int BATCH_HEADER_BYTES = 40;

    /** Bytes of the longest directory: an entry for each page. */
    public static final int MAX_DIRECTORY_BYTES =
            PageBatch.MAX_PAGES * PageBatch.DIRECTORY_ENTRY_BYTES;

    /** Longest body of a batch: header, directory, a full payload. */
    public static final int MAX_BATCH_BODY = BATCH_HEADER_BYTES + MAX_DIRECTORY_BYTES
            + PageBatch.PAYLOAD_CAPACITY;

    /** Longest body of a message; a HELLO with everything at its longest takes 1,398,971 bytes. */
    public static final int MAX_MESSAGE_BODY = 1536 * 1024;

    /** Most pages of a guest: what the 40 bits of a descriptor can name. */
    public static final long MAX_PAGES = 1L << 40;

    /** Most batches that a channel may have unacknowledged: 128 MiB of slots. */
    public static final int MAX_WINDOW = 256;

    /** Longest kind of a guest, in bytes of UTF-8: the scheme of a URI. */
    public static final int MAX_KIND_BYTES = 64;

    /** Longest name of a guest, in bytes of UTF-8. */
    public static final int MAX_NAME_BYTES = 255;

    /** Longest key of an attribute, in bytes of UTF-8. */
    public static final int MAX_KEY_BYTES = 255;

    /** Longest value of an attribute, in bytes of UTF-8. */
    public static final int MAX_VALUE_BYTES = 4096;

    /** Most extensions of a HELLO. */
    public static final int MAX_EXTENSIONS = 16;

    /** Longest value of an extension. */
    public static final int MAX_EXTENSION_BYTES = 1024;

    private WireLimits() {
    }
}
