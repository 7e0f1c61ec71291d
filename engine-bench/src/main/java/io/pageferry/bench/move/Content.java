package io.pageferry.bench.move;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;

/** What pages hold. */
public enum Content {
    /** Zeros alone. */
    ZERO,
    /** Words and numbers of a log; LZ4 makes about a third of it. */
    TEXT,
    /** Half noise, half nothing. */
    HALF_RANDOM,
    /** Noise. */
    RANDOM,
    /** Noise that all pages share, with 64 bytes of their own. */
    SMALL_CHANGE,
    /** A third of the pages zero, a third half-random, a third random. */
    MIXED;

    private static final String[] WORDS = {"guest", "page", "migration", "round", "channel",
        "accepted", "closed", "request", "from", "to", "in", "ms", "bytes", "error", "warning",
        "connection", "user", "session", "index", "retry", "timeout", "queue", "worker", "state"};
    private static final long SHARED_SEED = 7;
    private static final int OWN_BYTES = 64;

    /**
     * Fills a page.
     *
     * @param page   4096 bytes, all of them written
     * @param number of the page
     * @param random draws what is random
     */
    public void fill(byte[] page, long number, SplittableRandom random) {
        switch (this) {
            case ZERO -> Arrays.fill(page, (byte) 0);
            case TEXT -> text(page, random);
            case HALF_RANDOM -> {
                random.nextBytes(page);
                Arrays.fill(page, page.length / 2, page.length, (byte) 0);
            }
            case RANDOM -> random.nextBytes(page);
            case SMALL_CHANGE -> {
                new SplittableRandom(SHARED_SEED).nextBytes(page);
                byte[] own = new byte[OWN_BYTES];
                random.nextBytes(own);
                System.arraycopy(own, 0, page, random.nextInt(page.length - OWN_BYTES), OWN_BYTES);
            }
            case MIXED -> new Content[] {ZERO, HALF_RANDOM, RANDOM}[(int) (number % 3)]
                    .fill(page, number, random);
        }
    }

    private static void text(byte[] page, SplittableRandom random) {
        int at = 0;
        while (at < page.length) {
            String word = random.nextInt(4) == 0 ? Integer.toString(random.nextInt(100_000))
                    : WORDS[random.nextInt(WORDS.length)];
            byte[] bytes = (word + (random.nextInt(12) == 0 ? '\n' : ' '))
                    .getBytes(StandardCharsets.US_ASCII);
            int length = Math.min(bytes.length, page.length - at);
            System.arraycopy(bytes, 0, page, at, length);
            at += length;
        }
    }
}
