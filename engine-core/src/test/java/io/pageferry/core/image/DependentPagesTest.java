package io.pageferry.core.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.Lz4Codec;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.codec.page.ZstdCodec;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.TestImage;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Pages that need others: their base in the image, or the block that they came in. */
class DependentPagesTest {
    private static final long SEED = 3;
    private static final int PAGES = 64;
    private static final RegionTable REGIONS =
            RegionTable.single("ram", (long) PAGES * PageGeometry.PAGE_SIZE);

    private final Random random = new Random(SEED);
    private final Arena arena = Arena.ofConfined();
    private final TestImage image = new TestImage(REGIONS);
    private final ImageWriter writer = new ImageWriter(image);
    private final ImageWalker walker = new ImageWalker(image, writer);
    private final PageBatch batch =
            new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY, Long.BYTES));
    private final ZstdCodec zstd = new ZstdCodec();
    private final byte[] before = noise();
    private final byte[] after = before.clone();

    @AfterEach
    void close() {
        zstd.close();
        walker.close();
        writer.close();
        image.close();
        arena.close();
    }

    private byte[] noise() {
        byte[] page = new byte[PageCodec.PAGE];
        random.nextBytes(page);
        return page;
    }

    private static int sumOf(byte[] page) {
        return new PageChecksum().of(ByteBuffer.allocateDirect(page.length).put(0, page), 0);
    }

    /** Applies the batch; returns the pages that are owed then. */
    private long[] apply() throws PageDecodeException {
        writer.apply(batch);
        walker.readBack(LongStream.range(0, batch.count())
                .map(i -> batch.descriptorAt((int) i)).toArray(), batch.count());
        walker.proveWritten(PAGES);
        return walker.takeUnnamed(PAGES);
    }

    private void raw(long page, byte[] content) {
        batch.payloadBuffer().put(batch.payloadBytes(), content);
        batch.append(page, PageCodec.RAW, PageCodec.PAGE, sumOf(content));
    }

    private void delta(long page, int base) {
        byte[] difference = new byte[PageCodec.PAGE];
        for (int i = 0; i < difference.length; i++) {
            difference[i] = (byte) (before[i] ^ after[i]);
        }
        ByteBuffer from = ByteBuffer.allocateDirect(PageCodec.PAGE).put(0, difference);
        int length = new Lz4Codec().encode(from, 0, batch.payloadBuffer(), batch.payloadBytes());
        batch.append(page, PageCodec.DELTA, length, sumOf(after));
        batch.refer(base);
    }

    @Test
    void aDifferenceIsAppliedToItsBaseAndNothingElse() throws Exception {
        after[77] ^= 5;
        batch.begin(0, 0);
        raw(1, before);
        raw(2, before);
        raw(3, noise());
        assertEquals(0, apply().length);
        byte[] other = image.read(3);
        batch.begin(0, 1);
        raw(0, before);
        delta(1, sumOf(before));
        delta(2, sumOf(before) + 1);
        delta(3, sumOf(before));
        delta(4, PageChecksum.OF_ZEROS);
        raw(5, before);
        assertArrayEquals(new long[] {2, 3, 4}, apply());
        assertArrayEquals(before, image.read(0));
        assertArrayEquals(after, image.read(1));
        assertArrayEquals(before, image.read(2));
        assertArrayEquals(other, image.read(3));
        assertEquals(4, image.nextHole(4), "a hole was filled");
        assertArrayEquals(before, image.read(5));
        batch.begin(0, 2);
        raw(2, after);
        raw(3, after);
        raw(4, after);
        assertEquals(0, apply().length);
        assertEquals(0, walker.owedPages());
    }

    @Test
    void aDamagedDifferenceLeavesItsBase() throws Exception {
        after[77] ^= 5;
        batch.begin(0, 0);
        raw(1, before);
        apply();
        batch.begin(0, 1);
        delta(1, sumOf(before));
        batch.payloadBuffer().put(0, (byte) 0xff);
        assertArrayEquals(new long[] {1}, apply());
        assertArrayEquals(before, image.read(1));
    }

    /** Appends a block; its pages are 10, 11, 12, 20, … */
    private byte[][] block(int count) {
        ByteBuffer pages = ByteBuffer.allocateDirect(count * PageCodec.PAGE);
        byte[][] contents = new byte[count][];
        ByteBuffer frame = ByteBuffer.allocateDirect(ZstdCodec.frameRoom());
        for (int i = 0; i < count; i++) {
            contents[i] = noise();
            pages.put(i * PageCodec.PAGE, contents[i]);
        }
        int length = zstd.encode(pages, count, frame);
        for (int i = 0; i < count; i++) {
            boolean last = i == count - 1;
            if (last) {
                batch.payloadBuffer().put(batch.payloadBytes(), frame, 0, length);
            }
            batch.append(pageAt(i), PageCodec.ZSTD, last ? length : 0, sumOf(contents[i]));
            if (i == 0 && !last) {
                // Others may come between.
                raw(1, before);
            }
        }
        return contents;
    }

    private static long pageAt(int index) {
        return index < 3 ? 10 + index : 17L + index;
    }

    @Test
    void aBlockFillsItsPagesWhereverTheyAre() throws Exception {
        for (int count : new int[] {1, 2, 4, ZstdCodec.BLOCK_PAGES}) {
            batch.begin(0, count);
            byte[][] contents = block(count);
            assertEquals(0, apply().length);
            for (int i = 0; i < count; i++) {
                assertArrayEquals(contents[i], image.read(pageAt(i)), "page " + i);
            }
        }
        assertArrayEquals(before, image.read(1));
    }

    @Test
    void ofADamagedBlockAllPagesAreOwedAndStayAsTheyWere() throws Exception {
        batch.begin(0, 0);
        byte[][] contents = block(4);
        apply();
        batch.begin(0, 1);
        block(4);
        batch.payloadBuffer().put(PageCodec.PAGE, (byte) 0);
        assertArrayEquals(new long[] {10, 11, 12, 20}, apply());
        for (int i = 0; i < 4; i++) {
            assertArrayEquals(contents[i], image.read(pageAt(i)));
        }
    }

    @Test
    void aBlockWithoutAnEndAndOneOfTooManyPagesAreRefused() {
        batch.begin(0, 0);
        batch.append(7, PageCodec.ZSTD, 0, 1);
        assertThrows(PageDecodeException.class, () -> writer.apply(batch));
        batch.begin(0, 0);
        for (int i = 0; i <= ZstdCodec.BLOCK_PAGES; i++) {
            batch.append(i, PageCodec.ZSTD, 0, 1);
        }
        assertThrows(PageDecodeException.class, () -> writer.apply(batch));
        batch.begin(0, 0);
        batch.append(7, PageCodec.DELTA, 0, 1);
        assertThrows(PageDecodeException.class, () -> writer.apply(batch));
    }
}
