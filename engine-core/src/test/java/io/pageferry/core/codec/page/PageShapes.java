package io.pageferry.core.codec.page;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;

/** Pages of the shapes that memory has: zero, nearly zero, text, half random, repeating, random. */
final class PageShapes {
    private static final int SHAPES = 7;

    private PageShapes() {
    }

    static Arbitrary<byte[]> pages() {
        return Arbitraries.longs().map(PageShapes::page);
    }

    static byte[] page(long seed) {
        Random random = new Random(seed);
        byte[] page = new byte[PageCodec.PAGE];
        switch (random.nextInt(SHAPES)) {
            case 0 -> { }
            case 1 -> page[random.nextInt(page.length)] = (byte) (1 + random.nextInt(255));
            case 2 -> {
                byte[] words = "the page of a guest that runs \n".getBytes(
                        StandardCharsets.US_ASCII);
                for (int i = 0; i < page.length; i++) {
                    page[i] = words[(i + random.nextInt(3)) % words.length];
                }
            }
            case 3 -> {
                byte[] half = new byte[random.nextInt(page.length)];
                random.nextBytes(half);
                System.arraycopy(half, 0, page, page.length - half.length, half.length);
            }
            case 4 -> {
                byte[] unit = new byte[1 + random.nextInt(600)];
                random.nextBytes(unit);
                for (int i = 0; i < page.length; i++) {
                    page[i] = unit[i % unit.length];
                }
            }
            case 5 -> Arrays.fill(page, (byte) random.nextInt(256));
            default -> random.nextBytes(page);
        }
        return page;
    }
}
