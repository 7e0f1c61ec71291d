package io.pageferry.core.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.Lz4Codec;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.TestImage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Payloads that were damaged behind their directory: the page is owed, and nothing else is. */
class DamagedPayloadTest {
    private static final long SEED = 5;
    private static final int PAGES = 8;
    private static final int RAW_PAGE = 2;
    private static final int LZ4_PAGE = 4;
    private static final int ZERO_PAGE = 6;
    private static final RegionTable REGIONS =
            RegionTable.single("ram", (long) PAGES * PageGeometry.PAGE_SIZE);

    private final Arena arena = Arena.ofConfined();
    private final TestImage image = new TestImage(REGIONS);
    private final ImageWriter writer = new ImageWriter(image);
    private final ImageWalker walker = new ImageWalker(image, writer);
    private final byte[] noise = new byte[PageCodec.PAGE];
    private final byte[] text = new byte[PageCodec.PAGE];
    private final PageBatch batch =
            new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY, Long.BYTES));

    DamagedPayloadTest() {
        new Random(SEED).nextBytes(noise);
        for (int i = 0; i < text.length; i++) {
            text[i] = (byte) (i / 64 * 7);
        }
        batch.begin(0, 0);
        batch.payloadBuffer().put(0, noise);
        batch.append(RAW_PAGE, PageCodec.RAW, PageCodec.PAGE, sumOf(noise));
        ByteBuffer page = ByteBuffer.allocateDirect(PageCodec.PAGE).put(0, text);
        int length = new Lz4Codec().encode(page, 0, batch.payloadBuffer(), PageCodec.PAGE);
        batch.append(LZ4_PAGE, PageCodec.LZ4, length, sumOf(text));
        batch.append(ZERO_PAGE, PageCodec.ZERO, 0, PageChecksum.OF_ZEROS);
        batch.stamp(1, 0, 1);
    }

    @AfterEach
    void close() {
        walker.close();
        writer.close();
        image.close();
        arena.close();
    }

    private static int sumOf(byte[] page) {
        return new PageChecksum().of(ByteBuffer.allocateDirect(page.length).put(0, page), 0);
    }

    private void applyAndReadBack() throws PageDecodeException {
        writer.apply(batch);
        long[] descriptors = new long[batch.count()];
        for (int i = 0; i < descriptors.length; i++) {
            descriptors[i] = batch.descriptorAt(i);
        }
        walker.readBack(descriptors, descriptors.length);
        assertTrue(walker.proveWritten(PAGES));
    }

    @Test
    void everyFlippedBitLeavesItsPageOwedUntilItComesWhole() throws PageDecodeException {
        MemorySegment payload = batch.payload();
        int decodedAlike = 0;
        for (long bit = 0; bit < 8L * batch.payloadBytes(); bit++) {
            flip(payload, bit);
            applyAndReadBack();
            long page = bit < 8L * PageCodec.PAGE ? RAW_PAGE : LZ4_PAGE;
            long[] owed = walker.takeUnnamed(PAGES);
            if (owed.length == 0) {
                // A block of LZ4 may say the same in two ways.
                assertArrayEquals(text, image.read(LZ4_PAGE), "bit " + bit);
                decodedAlike++;
            } else {
                assertArrayEquals(new long[] {page}, owed, "bit " + bit);
                assertEquals(1, walker.owedPages());
            }
            flip(payload, bit);
            assertNothingElse();
            applyAndReadBack();
            assertEquals(0, walker.owedPages(), "bit " + bit);
        }
        assertTrue(decodedAlike < 8 * (batch.payloadBytes() - PageCodec.PAGE),
                "no damage of a block was found");
        assertArrayEquals(noise, image.read(RAW_PAGE));
        assertArrayEquals(text, image.read(LZ4_PAGE));
    }

    private static void flip(MemorySegment payload, long bit) {
        payload.set(ValueLayout.JAVA_BYTE, bit / 8,
                (byte) (payload.get(ValueLayout.JAVA_BYTE, bit / 8) ^ 1 << bit % 8));
    }

    private void assertNothingElse() {
        for (long page = 0; page < PAGES; page++) {
            if (page != RAW_PAGE && page != LZ4_PAGE) {
                assertEquals(page, image.nextHole(page), "page " + page + " was written");
            }
        }
    }

    /** Whoever lost the link before it could name a page names it over the next one. */
    @Test
    void whatIsOwedIsNamedOnceAndAgainAfterALostLink() throws PageDecodeException {
        flip(batch.payload(), 0);
        applyAndReadBack();
        assertArrayEquals(new long[] {RAW_PAGE}, walker.takeUnnamed(PAGES));
        assertEquals(0, walker.takeUnnamed(PAGES).length);
        walker.nameAgain();
        assertArrayEquals(new long[] {RAW_PAGE}, walker.takeUnnamed(PAGES));
        flip(batch.payload(), 0);
        applyAndReadBack();
        walker.nameAgain();
        assertEquals(0, walker.takeUnnamed(PAGES).length);
    }

    /** The store is part of what is proved: a byte that changes behind the write is seen. */
    @Test
    void whatTheStoreChangedIsOwed() throws PageDecodeException {
        writer.apply(batch);
        image.write(LZ4_PAGE, noise);
        assertTrue(walker.proveWritten(PAGES));
        assertArrayEquals(new long[] {LZ4_PAGE}, walker.takeUnnamed(PAGES));
    }

    @Test
    void aDirectoryThatCannotBeIsNoDamage() {
        for (int[] wrong : new int[][] {{PageCodec.ZERO, 1}, {PageCodec.RAW, 4095},
                {PageCodec.LZ4, 0}, {PageCodec.LZ4, 4096}, {77, 0}}) {
            batch.begin(0, 0);
            batch.append(1, wrong[0], wrong[1], 0);
            assertThrows(PageDecodeException.class, () -> writer.apply(batch));
        }
    }
}
