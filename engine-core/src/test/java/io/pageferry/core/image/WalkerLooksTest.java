package io.pageferry.core.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.TestImage;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** How often the walker asks for holes: each look is a call into the kernel, and a guest waits. */
class WalkerLooksTest {
    private static final int PAGES = 600;
    private static final long SEED = Long.getLong("pageferry.test.seed", 12);

    private final Random random = new Random(SEED);

    /** Data and holes in turn, the worst there is. */
    @Test
    void anEndOfWhichAllIsProvedCostsOneLookForEachHole() throws PageDecodeException {
        try (Looks image = new Looks(); ImageWriter writer = new ImageWriter(image);
                ImageWalker walker = new ImageWalker(image, writer)) {
            for (long page = 0; page < PAGES; page += 2) {
                apply(writer, page);
            }
            assertTrue(walker.proveWritten(PAGES));
            walker.proveUnwritten();
            readAll(walker);
            image.forget();
            walker.proveUnwritten();
            assertEquals(PAGES / 2, image.looks);
            assertTrue(walker.isIdle());
        }
    }

    @Test
    void aLongHoleIsLookedAtOnce() throws PageDecodeException {
        try (Looks image = new Looks(); ImageWriter writer = new ImageWriter(image);
                ImageWalker walker = new ImageWalker(image, writer)) {
            apply(writer, PAGES / 2);
            apply(writer, PAGES - 1);
            walker.proveUnwritten();
            // Two for each run of data, one for each hole, however long.
            assertEquals(6, image.looks);
            assertTrue(walker.proveWritten(PAGES));
            readAll(walker);
            image.forget();
            walker.proveUnwritten();
            assertEquals(2, image.looks);
        }
    }

    /** Whatever is data and was not read is queued, and made zero, for nobody sent it. */
    @Test
    void everyPageWithStorageIsProvedInTheEnd() {
        for (int round = 0; round < 200; round++) {
            try (Looks image = new Looks(); ImageWriter writer = new ImageWriter(image);
                    ImageWalker walker = new ImageWalker(image, writer)) {
                BitSet data = new BitSet();
                for (int step = 0; step < 3; step++) {
                    scribble(image, data);
                    walker.proveUnwritten();
                    walker.step(random.nextInt(PAGES));
                }
                walker.proveUnwritten();
                readAll(walker);
                assertZero(image, walker, data);
            }
        }
    }

    private static void apply(ImageWriter writer, long page) throws PageDecodeException {
        try (Arena arena = Arena.ofConfined()) {
            PageBatch batch = new PageBatch(
                    arena.allocate(PageBatch.PAYLOAD_CAPACITY, Long.BYTES));
            batch.begin(0, 0);
            batch.payload().asSlice(0, PageGeometry.PAGE_SIZE).fill((byte) 7);
            batch.append(page, PageCodec.RAW, PageGeometry.PAGE_SIZE, 0);
            writer.apply(batch);
        }
    }

    private void scribble(Looks image, BitSet data) {
        int first = random.nextInt(PAGES);
        int end = first + 1 + random.nextInt(Math.min(40, PAGES - first));
        for (int page = first; page < end; page++) {
            // A page that was read back is not looked at again: that is the writer's to say.
            if (!data.get(page) && random.nextInt(3) > 0) {
                data.set(page);
                image.write(page, page(1 + random.nextInt(100)));
            }
        }
    }

    private static void assertZero(Looks image, ImageWalker walker, BitSet data) {
        ChecksumTable table = walker.table();
        PageChecksum crc = new PageChecksum();
        for (int page = 0; page < PAGES; page++) {
            assertEquals(crc.of(ByteBuffer.wrap(image.read(page)), 0), table.get(page),
                    "page " + page + ", seed " + SEED);
            assertEquals(PageChecksum.OF_ZEROS, table.get(page),
                    "page " + page + " of " + data + ", seed " + SEED);
        }
    }

    private static void readAll(ImageWalker walker) {
        while (!walker.isIdle()) {
            walker.step(PAGES);
        }
    }

    private static byte[] page(int value) {
        byte[] bytes = new byte[PageGeometry.PAGE_SIZE];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    /** Counts the looks for holes and data. */
    private static final class Looks extends TestImage {
        private int looks;

        Looks() {
            super(RegionTable.single("ram", PageGeometry.bytesOf(PAGES)));
        }

        void forget() {
            looks = 0;
        }

        @Override
        public long nextData(long page) {
            looks++;
            return super.nextData(page);
        }

        @Override
        public long nextHole(long page) {
            looks++;
            return super.nextHole(page);
        }
    }
}
