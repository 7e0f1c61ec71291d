package io.pageferry.core.codec.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.dirty.SentPages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Pages of every kind: what the probe says of them, and that none grows. */
class PageEncoderTest {
    private static final long SEED = 20_260_305;
    private static final String SENTENCE = "The guest goes on where its memory is. ";

    private final Random random = new Random(SEED);

    @Test
    void noPageGrowsWhateverItHoldsAndWhateverIsChosen() throws PageDecodeException {
        for (CodecChoice choice : CodecChoice.values()) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment memory = arena.allocate(PageCodec.PAGE);
                PageBatch batch = new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY));
                PageEncoder encoder = new PageEncoder(choice, () -> 0);
                for (int i = 0; i < 2_000; i++) {
                    batch.begin(0, 0);
                    byte[] page = page(i % 5);
                    memory.copyFrom(MemorySegment.ofArray(page));
                    assertEquals(1, encoder.copy(new Pages(memory), 0, 1, batch));
                    encoder.encode(0, batch, false, SentPages.NONE);
                    assertTrue(batch.payloadBytes() <= PageCodec.PAGE,
                            choice + ", page " + i + ", seed " + SEED);
                }
            }
        }
    }

    @Test
    void theProbeKnowsNoiseFromTextCountersAndHalfEmptyPages() {
        int wrong = 0;
        for (int i = 0; i < 1_000; i++) {
            wrong += looksRandom(page(0)) ? 0 : 1;
        }
        assertTrue(wrong < 10, wrong + " of 1000 random pages missed, seed " + SEED);
        for (int kind = 1; kind < 5; kind++) {
            for (int i = 0; i < 100; i++) {
                assertFalse(looksRandom(page(kind)), "kind " + kind + ", seed " + SEED);
            }
        }
    }

    @Test
    void aBatchHoldsNoMoreThanItsLimit() {
        try (Arena arena = Arena.ofConfined()) {
            PageBatch batch = new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY));
            batch.limit(1);
            batch.begin(0, 0);
            assertTrue(batch.hasRoom(), "one page always fits");
            batch.append(1, PageCodec.RAW, PageCodec.PAGE, 0);
            assertFalse(batch.hasRoom());
            batch.limit(3 * (PageCodec.PAGE + PageBatch.DIRECTORY_ENTRY_BYTES));
            batch.begin(0, 0);
            int fitted = 0;
            for (; batch.hasRoom(); fitted++) {
                batch.append(fitted, PageCodec.RAW, PageCodec.PAGE, 0);
            }
            assertEquals(3, fitted);
        }
    }

    /** Random, half-random, text, a counter in each word, a few words in a page of zeros. */
    private byte[] page(int kind) {
        byte[] page = new byte[PageCodec.PAGE];
        switch (kind) {
            case 0 -> random.nextBytes(page);
            case 1 -> {
                byte[] half = new byte[PageCodec.PAGE / 2];
                random.nextBytes(half);
                System.arraycopy(half, 0, page, 0, half.length);
            }
            case 2 -> System.arraycopy(SENTENCE.repeat(200).getBytes(StandardCharsets.US_ASCII),
                    random.nextInt(SENTENCE.length()), page, 0, page.length);
            case 3 -> {
                ByteBuffer words = ByteBuffer.wrap(page);
                for (long i = 0; words.hasRemaining(); i++) {
                    words.putLong(i);
                }
            }
            default -> page[random.nextInt(page.length)] = 1;
        }
        return page;
    }

    private static boolean looksRandom(byte[] page) {
        return PageProbe.looksRandom(ByteBuffer.allocateDirect(page.length).put(0, page), 0);
    }
}
