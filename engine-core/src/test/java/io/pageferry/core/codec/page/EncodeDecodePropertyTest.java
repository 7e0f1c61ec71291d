package io.pageferry.core.codec.page;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.CodecChoice;
import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.dirty.SentPages;
import io.pageferry.core.memory.PagedMemory;
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
    private static final int MOST_IN_RUN = PagedMemory.RUN_PAGES;

    @Property(tries = 150)
    void everyPageOfABatchComesOutAsItWentIn(@ForAll CodecChoice choice, @ForAll long seed)
            throws Exception {
        Random random = new Random(seed);
        List<byte[]> pages = new ArrayList<>();
        try (Arena arena = Arena.ofConfined();
                PageEncoder encoder = new PageEncoder(choice, 0, () -> 0)) {
            encoder.allow(true, false);
            MemorySegment live = arena.allocate((MOST_IN_RUN + 1L) * PageCodec.PAGE);
            PageBatch batch = new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY, 8));
            batch.begin(0, 0);
            while (batch.hasRoom() && pages.size() < 200) {
                int most = Math.min(batch.room(), 1 + random.nextInt(MOST_IN_RUN));
                int at = random.nextInt(PageCodec.PAGE);
                int first = pages.size();
                for (int i = 0; i < most; i++) {
                    pages.add(PageShapes.page(random.nextLong()));
                    MemorySegment.copy(pages.getLast(), 0, live, ValueLayout.JAVA_BYTE,
                            at + i * PageCodec.PAGE, PageCodec.PAGE);
                }
                int run = encoder.copy(new Pages(live.asSlice(at), first), first, most, batch);
                assertTrue(run > 0 && run <= most, run + " of " + most);
                pages.subList(first + run, pages.size()).clear();
                for (int page = first; page < pages.size(); page++) {
                    assertEncoded(pages.get(page), choice,
                            encoder.encode(page, batch, false, SentPages.NONE));
                }
            }
            encoder.finish(batch);
            assertDecodes(batch, pages);
        }
    }

    private static void assertEncoded(byte[] page, CodecChoice choice, long encoded) {
        int codec = PageEncoder.codecOf(encoded);
        assertEquals(isZero(page), codec == PageCodec.ZERO);
        assertTrue(codec == PageCodec.ZERO || codec == PageCodec.RAW
                || codec == PageCodec.LZ4 && choice != CodecChoice.NONE
                || codec == PageCodec.ZSTD && (choice == CodecChoice.ZSTD
                        || choice == CodecChoice.ADAPTIVE));
        CRC32C crc = new CRC32C();
        crc.update(page);
        assertEquals((int) crc.getValue(), PageEncoder.checksumOf(encoded));
    }

    @Property(tries = 100)
    void unknownCodecsAreRefused(@ForAll @IntRange(max = 255) int codec) throws Exception {
        try (Arena arena = Arena.ofConfined(); PageDecoder decoder = new PageDecoder()) {
            PageBatch batch = new PageBatch(arena.allocate(PageBatch.PAYLOAD_CAPACITY, 8));
            if (codec == PageCodec.RAW) {
                decoder.decode(batch, 0, PageBatch.descriptor(0, codec, PageCodec.PAGE), 0);
            } else {
                assertThrows(PageDecodeException.class,
                        () -> decoder.decode(batch, 0,
                                PageBatch.descriptor(0, codec, PageCodec.PAGE), 0));
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

    /** Each page once, in whatever order; a block's bytes come with its last page. */
    private static void assertDecodes(PageBatch batch, List<byte[]> pages) throws Exception {
        assertEquals(pages.size(), batch.count());
        byte[][] decoded = new byte[pages.size()][];
        List<Long> block = new ArrayList<>();
        int at = 0;
        try (PageDecoder decoder = new PageDecoder()) {
            for (int i = 0; i < batch.count(); i++) {
                long descriptor = batch.descriptorAt(i);
                int length = PageBatch.lengthOf(descriptor);
                int codec = PageBatch.codecOf(descriptor);
                int page = (int) PageBatch.pageOf(descriptor);
                if (codec == PageCodec.ZERO) {
                    decoded[page] = new byte[PageCodec.PAGE];
                } else if (codec == PageCodec.ZSTD) {
                    block.add((long) page);
                    if (length > 0) {
                        decoder.decodeBlock(batch, at, length, block.size());
                        for (int j = 0; j < block.size(); j++) {
                            decoded[block.get(j).intValue()] = place(decoder, j);
                        }
                        block.clear();
                    }
                } else {
                    decoder.decode(batch, at, descriptor, i % PagedMemory.RUN_PAGES);
                    decoded[page] = place(decoder, i % PagedMemory.RUN_PAGES);
                }
                at += length;
            }
        }
        assertEquals(List.of(), block);
        assertEquals(batch.payloadBytes(), at);
        for (int i = 0; i < decoded.length; i++) {
            assertArrayEquals(pages.get(i), decoded[i], "page " + i);
        }
    }

    private static byte[] place(PageDecoder decoder, int place) {
        return decoder.pages().asSlice((long) place * PageCodec.PAGE, PageCodec.PAGE)
                .toArray(ValueLayout.JAVA_BYTE);
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
