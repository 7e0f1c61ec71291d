package io.pageferry.core.codec.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.dirty.SentPages;
import io.pageferry.core.testing.PageKinds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Pages of every kind: what the probe says of them, and that none grows. */
class PageEncoderTest {
    private static final long SEED = 20_260_305;

    private final Random random = new Random(SEED);

    @Test
    void noPageGrowsWhateverItHoldsAndWhateverIsChosen() throws PageDecodeException {
        for (CodecChoice choice : CodecChoice.values()) {
            try (Arena arena = Arena.ofConfined();
                    PageEncoder encoder = new PageEncoder(choice, 0, () -> 0)) {
                encoder.allow(true, false);
                MemorySegment memory = arena.allocate(PageCodec.PAGE);
                PageBatch batch = new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY));
                for (int i = 0; i < 2_000; i++) {
                    batch.begin(0, 0);
                    byte[] page = PageKinds.page(i % 5, random);
                    memory.copyFrom(MemorySegment.ofArray(page));
                    assertEquals(1, encoder.copy(new Pages(memory), 0, 1, batch));
                    encoder.encode(0, batch, false, SentPages.NONE);
                    encoder.finish(batch);
                    int most = PageCodec.PAGE
                            + (choice == CodecChoice.ZSTD ? ZstdCodec.OVERHEAD : 0);
                    assertTrue(batch.payloadBytes() <= most,
                            choice + ", page " + i + ", seed " + SEED);
                }
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
}
