package io.pageferry.core.codec.page;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.dirty.SentPages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** From live memory into a batch and out of it: every page is the page, and its sum its sum. */
class EncodeDecodePropertyTest {
    @Property(tries = 150)
    void everyPageOfABatchComesOutAsItWentIn(@ForAll CodecChoice choice, @ForAll long seed)
            throws Exception {
        Random random = new Random(seed);
        PageEncoder encoder = new PageEncoder(choice, () -> 0);
        List<byte[]> pages = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment live = arena.allocate(3L * PageCodec.PAGE);
            PageBatch batch = new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY, 8));
            batch.begin(0, 0);
            while (batch.hasRoom() && pages.size() < 200) {
                byte[] page = PageShapes.page(random.nextLong());
                int at = random.nextInt(2 * PageCodec.PAGE);
                MemorySegment.copy(page, 0, live, ValueLayout.JAVA_BYTE, at, page.length);
                long encoded = encoder.encode(new OnePage(live.asSlice(at)), pages.size(), batch,
                        false, SentPages.NONE);
                int codec = PageEncoder.codecOf(encoded);
                assertEquals(isZero(page), codec == PageCodec.ZERO);
                assertTrue(codec == PageCodec.ZERO || codec == PageCodec.RAW
                        || codec == PageCodec.LZ4 && choice != CodecChoice.NONE);
                CRC32C crc = new CRC32C();
                crc.update(page);
                assertEquals((int) crc.getValue(), PageEncoder.checksumOf(encoded));
                pages.add(page);
            }
            assertDecodes(batch, pages);
        }
    }

    @Property(tries = 100)
    void unknownCodecsAreRefused(@ForAll @IntRange(max = 255) int codec) throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            PageBatch batch = new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY, 8));
            PageDecoder decoder = new PageDecoder();
            if (codec == PageCodec.RAW) {
                assertEquals(PageCodec.PAGE,
                        decoder.decode(batch, 0, codec, PageCodec.PAGE).byteSize());
            } else {
                assertThrows(PageDecodeException.class,
                        () -> decoder.decode(batch, 0, codec, PageCodec.PAGE));
            }
        }
    }

    @Property(tries = 1000)
    void aDescriptorHoldsItsThreeNumbers(@ForAll long anyPage, @ForAll int anyCodec,
            @ForAll @IntRange(max = 65_535) int length) {
        long page = anyPage & (1L << 40) - 1;
        int codec = anyCodec & 0xff;
        long descriptor = PageBatch.descriptor(page, codec, length);
        assertEquals(page, PageBatch.pageOf(descriptor));
        assertEquals(codec, PageBatch.codecOf(descriptor));
        assertEquals(length, PageBatch.lengthOf(descriptor));
    }

    private static void assertDecodes(PageBatch batch, List<byte[]> pages) throws Exception {
        PageDecoder decoder = new PageDecoder();
        assertEquals(pages.size(), batch.count());
        int at = 0;
        for (int i = 0; i < batch.count(); i++) {
            long descriptor = batch.descriptorAt(i);
            int length = PageBatch.lengthOf(descriptor);
            assertEquals(i, PageBatch.pageOf(descriptor));
            byte[] decoded = PageBatch.codecOf(descriptor) == PageCodec.ZERO
                    ? new byte[PageCodec.PAGE]
                    : decoder.decode(batch, at, PageBatch.codecOf(descriptor), length)
                            .toArray(ValueLayout.JAVA_BYTE);
            assertArrayEquals(pages.get(i), decoded, "page " + i);
            at += length;
        }
        assertEquals(batch.payloadBytes(), at);
    }

    private static boolean isZero(byte[] page) {
        for (byte value : page) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }
}
