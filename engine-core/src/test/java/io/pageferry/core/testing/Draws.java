package io.pageferry.core.testing;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.memory.PageGeometry;
import java.util.Random;

/** What tests draw at random. */
public final class Draws {
    private Draws() {
    }

    /** One of the codecs that can be chosen. */
    public static CodecChoice codec(Random random) {
        return CodecChoice.values()[random.nextInt(CodecChoice.values().length)];
    }

    /** Bytes of sent pages to keep: none, one page, a few, or all of a small guest. */
    public static long deltaCache(Random random) {
        return new long[] {0, 1, 7, 1 << 20}[random.nextInt(4)] * PageGeometry.PAGE_SIZE;
    }
}
