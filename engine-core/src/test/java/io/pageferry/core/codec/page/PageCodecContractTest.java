package io.pageferry.core.codec.page;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** What every codec promises, whatever the page and whatever the peer. */
class PageCodecContractTest {
    private static final int PAGE = PageCodec.PAGE;

    /** Bytes beside everything that a codec may write; all {@link #CANARY} before and after. */
    private static final int MARGIN = 4096;
    private static final byte CANARY = (byte) 0xa5;

    @Provide
    Arbitrary<PageCodec> codecs() {
        return Arbitraries.of(new ZeroCodec(), new RawCodec(), new Lz4Codec(),
                Lz4Codec.inJava());
    }

    @Provide
    Arbitrary<byte[]> pages() {
        return PageShapes.pages();
    }

    @Property(tries = 1500)
    void whatWasEncodedDecodesToItself(@ForAll("codecs") PageCodec codec,
            @ForAll("pages") byte[] page, @ForAll @IntRange(max = 300) int at) throws Exception {
        ByteBuffer source = canaries(2 * MARGIN).put(at, page);
        ByteBuffer out = canaries(PAGE + 2 * MARGIN);
        int length = codec.encode(source, at, out, MARGIN);
        assertArrayEquals(page, bytes(source, at, PAGE));
        assertCanaries(out, MARGIN, PAGE);
        if (length == PageCodec.NO_GAIN) {
            assertFalse(codec instanceof RawCodec, "raw takes every page");
            assertTrue(codec instanceof Lz4Codec || !isZero(page), "a zero page was not taken");
            return;
        }
        assertTrue(length >= 0 && length <= PAGE, "length " + length);
        assertTrue(!(codec instanceof Lz4Codec) || length <= Lz4Codec.WORTHWHILE);
        ByteBuffer decoded = canaries(PAGE + 2 * MARGIN);
        codec.decode(out, MARGIN, length, decoded, MARGIN);
        assertArrayEquals(page, bytes(decoded, MARGIN, PAGE));
        assertCanaries(decoded, MARGIN, PAGE);
    }

    @Property(tries = 3000)
    void garbageIsRefusedOrStaysInThePage(@ForAll("codecs") PageCodec codec, @ForAll long seed,
            @ForAll @IntRange(max = 4096) int length) {
        Random random = new Random(seed);
        byte[] garbage = new byte[length];
        random.nextBytes(garbage);
        decodeAnything(codec, garbage);
    }

    @Property(tries = 3000)
    void aPageDamagedOrCutIsRefusedOrStaysInThePage(@ForAll("codecs") PageCodec codec,
            @ForAll("pages") byte[] page, @ForAll long seed) {
        Random random = new Random(seed);
        ByteBuffer out = canaries(PAGE);
        int length = codec.encode(canaries(PAGE).put(0, page), 0, out, 0);
        byte[] damaged = bytes(out, 0, Math.max(0, length));
        for (int i = 0; damaged.length > 0 && i < 1 + random.nextInt(3); i++) {
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
        }
        int kept = random.nextInt(4) == 0 ? random.nextInt(damaged.length + 1) : damaged.length;
        decodeAnything(codec, Arrays.copyOf(damaged, kept));
    }

    @Property(tries = 300)
    void onlyItsOwnLengthsAreAPage(@ForAll @IntRange(max = 4096) int length) {
        assertEquals(length == 0, isTaken(new ZeroCodec(), new byte[length]));
        assertEquals(length == PAGE, isTaken(new RawCodec(), new byte[length]));
        // A block that is not shorter than the page is not LZ4 here, whatever it decodes to.
        assertFalse(isTaken(new Lz4Codec(), new byte[Math.max(PAGE - 1, length)]));
    }

    /** Decodes from between canaries; anything but a page or its refusal fails the property. */
    private static void decodeAnything(PageCodec codec, byte[] encoded) {
        isTaken(codec, encoded);
    }

    private static boolean isTaken(PageCodec codec, byte[] encoded) {
        ByteBuffer in = canaries(encoded.length + 2 * MARGIN).put(MARGIN, encoded);
        ByteBuffer page = canaries(PAGE + 2 * MARGIN);
        boolean taken = true;
        try {
            codec.decode(in, MARGIN, encoded.length, page, MARGIN);
        } catch (PageDecodeException e) {
            assertFalse(e.getMessage().isEmpty());
            taken = false;
        }
        assertCanaries(page, MARGIN, PAGE);
        assertCanaries(in, MARGIN, encoded.length);
        assertArrayEquals(encoded, bytes(in, MARGIN, encoded.length));
        assertEquals(0, page.position());
        assertEquals(page.capacity(), page.limit());
        return taken;
    }

    private static ByteBuffer canaries(int size) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(size);
        for (int i = 0; i < size; i++) {
            buffer.put(i, CANARY);
        }
        return buffer;
    }

    private static void assertCanaries(ByteBuffer buffer, int from, int length) {
        for (int i = 0; i < buffer.capacity(); i++) {
            if ((i < from || i >= from + length) && buffer.get(i) != CANARY) {
                throw new AssertionError("byte " + (i - from) + " of a page was written");
            }
        }
    }

    private static byte[] bytes(ByteBuffer buffer, int at, int length) {
        byte[] bytes = new byte[length];
        buffer.get(at, bytes);
        return bytes;
    }

    private static boolean isZero(byte[] page) {
        return Arrays.equals(page, new byte[page.length]);
    }
}
