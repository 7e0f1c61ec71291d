package io.pageferry.core.testing;

import io.pageferry.core.memory.PageGeometry;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/** Pages of five kinds that guests have. */
public final class PageKinds {
    private static final String SENTENCE = "The guest goes on where its memory is. ";

    private PageKinds() {
    }

    /** 0 to 4: random, half-random, text, a counter in each word, one byte in a page of zeros. */
    public static byte[] page(int kind, Random random) {
        byte[] page = new byte[PageGeometry.PAGE_SIZE];
        switch (kind) {
            case 0 -> random.nextBytes(page);
            case 1 -> {
                byte[] half = new byte[PageGeometry.PAGE_SIZE / 2];
                random.nextBytes(half);
                System.arraycopy(half, 0, page, 0, half.length);
            }
            case 2 -> System.arraycopy(SENTENCE.repeat(200).getBytes(StandardCharsets.US_ASCII),
                    random.nextInt(SENTENCE.length()), page, 0, page.length);
            case 3 -> {
                ByteBuffer words = ByteBuffer.wrap(page);
                for (long i = 0; words.hasRemaining(); i++) {
                    words.putLong(i);
                }
            }
            default -> page[random.nextInt(page.length)] = 1;
        }
        return page;
    }
}
