package io.pageferry.core.codec.page;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** What blocks of zstd and differences promise, whatever the pages and whatever the peer. */
class BlocksAndDeltasPropertyTest {
    private static final int PAGE = PageCodec.PAGE;
    private static final int MARGIN = 512;
    private static final byte CANARY = (byte) 0xa5;

    @Property(tries = 300)
    void aBlockDecodesToItsPages(@ForAll @IntRange(min = 1, max = ZstdCodec.BLOCK_PAGES) int count,
            @ForAll long seed) throws Exception {
        Random random = new Random(seed);
        ByteBuffer pages = pages(count, random);
        ByteBuffer frame = ByteBuffer.allocateDirect(ZstdCodec.frameRoom());
        try (ZstdCodec zstd = new ZstdCodec()) {
            int length = zstd.encode(pages, count, frame);
            assertTrue(length > 0 && length <= count * PAGE + ZstdCodec.OVERHEAD,
                    length + " of " + count);
            assertTrue(length <= 0xffff, "a length has 16 bits");
            ByteBuffer decoded = canaries(count);
            zstd.decode(frame, 0, length, decoded, count);
            assertArrayEquals(bytes(pages, count * PAGE), bytes(decoded, count * PAGE));
            assertCanaries(decoded, count);
        }
    }

    @Property(tries = 2000)
    void aDamagedBlockIsRefusedOrStaysInItsPages(
            @ForAll @IntRange(min = 1, max = ZstdCodec.BLOCK_PAGES) int count,
            @ForAll @IntRange(min = 1, max = ZstdCodec.BLOCK_PAGES) int wanted,
            @ForAll long seed) {
        Random random = new Random(seed);
        ByteBuffer frame = ByteBuffer.allocateDirect(ZstdCodec.frameRoom());
        try (ZstdCodec zstd = new ZstdCodec()) {
            int length = zstd.encode(pages(count, random), count, frame);
            for (int i = random.nextInt(4); i > 0; i--) {
                int at = random.nextInt(length);
                frame.put(at, (byte) (frame.get(at) ^ 1 << random.nextInt(8)));
            }
            int kept = random.nextInt(4) == 0 ? random.nextInt(length + 1) : length;
            ByteBuffer decoded = canaries(wanted);
            try {
                zstd.decode(frame, 0, kept, decoded, wanted);
                assertEquals(count, wanted);
            } catch (PageDecodeException e) {
                assertTrue(e.getMessage().contains("zstd"), e.getMessage());
            }
            assertCanaries(decoded, wanted);
        }
    }

    @Property(tries = 1000)
    void aDifferenceOverItsBaseIsThePage(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        DeltaCodec delta = new DeltaCodec(new Lz4Codec());
        byte[] base = PageShapes.page(random.nextLong());
        byte[] page = base.clone();
        for (int i = random.nextInt(100); i >= 0; i--) {
            page[random.nextInt(PAGE)] = (byte) random.nextInt();
        }
        ByteBuffer out = ByteBuffer.allocateDirect(PAGE);
        int length = delta.encode(direct(page), 0, direct(base), 0, out);
        assertTrue(length > 0 && length <= DeltaCodec.MOST_BYTES, "100 bytes of 4096: " + length);
        ByteBuffer room = canaries(1);
        room.put(0, base);
        delta.decode(out, 0, length, MemorySegment.ofBuffer(room), 0);
        assertArrayEquals(page, bytes(room, PAGE));
        assertCanaries(room, 1);
    }

    @Property(tries = 2000)
    void aDamagedDifferenceIsRefusedOrStaysInThePage(@ForAll long seed,
            @ForAll @IntRange(max = PAGE) int length) {
        Random random = new Random(seed);
        byte[] base = PageShapes.page(random.nextLong());
        byte[] garbage = new byte[length];
        random.nextBytes(garbage);
        ByteBuffer room = canaries(1);
        room.put(0, base);
        try {
            new DeltaCodec(new Lz4Codec()).decode(ByteBuffer.allocateDirect(length).put(0, garbage),
                    0, length, MemorySegment.ofBuffer(room), 0);
        } catch (PageDecodeException e) {
            assertArrayEquals(base, bytes(room, PAGE));
        }
        assertCanaries(room, 1);
    }

    private static MemorySegment direct(byte[] page) {
        return MemorySegment.ofBuffer(ByteBuffer.allocateDirect(PAGE).put(0, page));
    }

    private static ByteBuffer pages(int count, Random random) {
        ByteBuffer pages = ByteBuffer.allocateDirect(count * PAGE);
        for (int i = 0; i < count; i++) {
            pages.put(i * PAGE, PageShapes.page(random.nextLong()));
        }
        return pages;
    }

    private static ByteBuffer canaries(int pages) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(pages * PAGE + MARGIN);
        for (int i = 0; i < buffer.capacity(); i++) {
            buffer.put(i, CANARY);
        }
        return buffer;
    }

    private static void assertCanaries(ByteBuffer buffer, int pages) {
        for (int i = pages * PAGE; i < buffer.capacity(); i++) {
            assertEquals(CANARY, buffer.get(i), "byte " + i);
        }
    }

    private static byte[] bytes(ByteBuffer buffer, int length) {
        byte[] bytes = new byte[length];
        buffer.get(0, bytes);
        return bytes;
    }
}
