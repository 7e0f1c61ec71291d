package io.pageferry.core.codec.choice;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.testing.PageKinds;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What the probe says of pages of every kind. */
class PageProbeTest {
    private static final long SEED = 20_260_305;

    private final Random random = new Random(SEED);

    @Test
    void theProbeKnowsNoiseFromTextCountersAndHalfEmptyPages() {
        int wrong = 0;
        for (int i = 0; i < 1_000; i++) {
            wrong += looksRandom(PageKinds.page(0, random)) ? 0 : 1;
        }
        assertTrue(wrong < 10, wrong + " of 1000 random pages missed, seed " + SEED);
        for (int kind = 1; kind < 5; kind++) {
            for (int i = 0; i < 100; i++) {
                assertFalse(looksRandom(PageKinds.page(kind, random)),
                        "kind " + kind + ", seed " + SEED);
            }
        }
    }

    private static boolean looksRandom(byte[] page) {
        return PageProbe.looksRandom(ByteBuffer.allocateDirect(page.length).put(0, page), 0);
    }
}
