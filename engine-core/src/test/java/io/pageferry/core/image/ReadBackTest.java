package io.pageferry.core.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
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
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Reading back before the barrier: what is summed is what lies in the image in the end. */
class ReadBackTest {
    private static final int PAGES = 8;
    private static final RegionTable REGIONS = RegionTable.single(
            "ram", (long) PAGES * PageGeometry.PAGE_SIZE);
    private static final int PAGE = 3;
    private static final long RAW_PAGE = PageBatch.descriptor(PAGE, PageCodec.RAW,
            PageGeometry.PAGE_SIZE);
    private static final byte OLDER = 1;
    private static final byte NEWER = 2;

    /** Two versions of one interval, the older one applied last: the walker must not miss it. */
    @Test
    void anOlderVersionThatComesLastIsTheOneThatIsSummed() throws PageDecodeException {
        try (TestImage image = new TestImage(REGIONS); ImageWriter writer = new ImageWriter(image);
                ImageWalker walker = new ImageWalker(image, writer)) {
            apply(writer, NEWER);
            walker.readBack(new long[] {RAW_PAGE}, 1);
            assertEquals(sumOf(NEWER), walker.table().get(PAGE));
            assertTrue(walker.proveWritten(PAGES));
            apply(writer, OLDER);
            // Whoever applied it did not ask to have it read back: the barrier does.
            assertTrue(walker.proveWritten(PAGES));
            assertTrue(walker.isIdle());
            assertEquals(sumOf(OLDER), walker.table().get(PAGE));
        }
    }

    @Test
    void whatWasReadBackIsNotQueuedAgain() throws PageDecodeException {
        try (TestImage image = new TestImage(REGIONS); ImageWriter writer = new ImageWriter(image);
                ImageWalker walker = new ImageWalker(image, writer)) {
            apply(writer, NEWER);
            walker.readBack(new long[] {RAW_PAGE, RAW_PAGE + 1}, 2);
            assertTrue(walker.proveWritten(PAGES));
            assertTrue(walker.isIdle());
            assertEquals(PageChecksum.OF_ZEROS, walker.table().get(PAGE + 1));
        }
    }

    /** Left in a reused image where the guest has a hole. */
    @Test
    void whatHasTheSumOfZerosIsNoZero() {
        try (TestImage image = new TestImage(REGIONS); ImageWriter writer = new ImageWriter(image);
                ImageWalker walker = new ImageWalker(image, writer)) {
            image.write(PAGE, sumOfZeros());
            walker.proveUnwritten();
            walker.step(PAGES);
            assertTrue(walker.isIdle());
            assertArrayEquals(new byte[PageGeometry.PAGE_SIZE], image.read(PAGE));
        }
    }

    /** A page that came as zeros, or did not, is told by its bytes. */
    @Test
    void aPageWithTheSumOfZerosIsOwedWhereItIsNotWhatCame() throws PageDecodeException {
        for (int codec : new int[] {PageCodec.ZERO, PageCodec.RAW}) {
            try (TestImage image = new TestImage(REGIONS);
                    ImageWriter writer = new ImageWriter(image);
                    ImageWalker walker = new ImageWalker(image, writer)) {
                apply(writer, codec, sumOfZeros());
                assertTrue(walker.proveWritten(PAGES));
                assertEquals(0, walker.owedPages());
                apply(writer, codec, sumOfZeros());
                image.write(PAGE, codec == PageCodec.RAW ? new byte[PageGeometry.PAGE_SIZE]
                        : sumOfZeros());
                assertTrue(walker.proveWritten(PAGES));
                assertEquals(1, walker.owedPages());
            }
        }
    }

    private static byte[] sumOfZeros() {
        byte[] page = Arrays.copyOf(new byte[] {(byte) 0xf1, 0x76, (byte) 0xec, 5, 1},
                PageGeometry.PAGE_SIZE);
        assertEquals(PageChecksum.OF_ZEROS, new PageChecksum().of(ByteBuffer.wrap(page), 0));
        return page;
    }

    private static void apply(ImageWriter writer, int codec, byte[] content)
            throws PageDecodeException {
        try (Arena arena = Arena.ofConfined()) {
            PageBatch batch = new PageBatch(
                    arena.allocate(PageBatch.PAYLOAD_CAPACITY, Long.BYTES));
            batch.begin(0, 0);
            MemorySegment.copy(content, 0, batch.payload(), ValueLayout.JAVA_BYTE, 0,
                    content.length);
            batch.append(PAGE, codec, codec == PageCodec.RAW ? content.length : 0,
                    PageChecksum.OF_ZEROS);
            writer.apply(batch);
        }
    }

    private static void apply(ImageWriter writer, byte content) throws PageDecodeException {
        try (Arena arena = Arena.ofConfined()) {
            PageBatch batch = new PageBatch(
                    arena.allocate(PageBatch.PAYLOAD_CAPACITY, Long.BYTES));
            batch.begin(0, 0);
            batch.payload().asSlice(0, PageGeometry.PAGE_SIZE).fill(content);
            batch.append(PAGE, PageCodec.RAW, PageGeometry.PAGE_SIZE, sumOf(content));
            writer.apply(batch);
        }
    }

    private static int sumOf(byte content) {
        byte[] page = new byte[PageGeometry.PAGE_SIZE];
        Arrays.fill(page, content);
        ByteBuffer direct = ByteBuffer.allocateDirect(page.length).put(0, page);
        return new PageChecksum().of(direct, 0);
    }
}
