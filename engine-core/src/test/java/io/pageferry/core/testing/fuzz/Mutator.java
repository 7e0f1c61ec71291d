package io.pageferry.core.testing.fuzz;

import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Makes inputs of a corpus: the same seed, the same inputs. */
final class Mutator {
    private static final int MOST_CHANGES = 6;
    private static final int LONGEST_RUN = 32;
    private static final int LONGEST_INPUT = 64 << 10;
    private static final int LARGEST_STEP = 8;
    private static final int KINDS = 9;
    private static final long[] EDGES = {0, 1, 7, 8, 15, 16, 63, 64, 127, 128, 255, 256, 1023,
        1024, 1025, 4095, 4096, 4097, 32767, 32768, 65535, 65536, 524288, 1 << 20, 1L << 31,
        (1L << 31) - 1, (1L << 32) - 1, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE, -1, -2};

    private final Random random;
    private final List<byte[]> corpus;

    Mutator(long seed, List<byte[]> corpus) {
        this.random = new Random(seed);
        this.corpus = corpus;
    }

    /** Makes the next input: one of the corpus, with a few changes. */
    byte[] next() {
        byte[] input = pick().clone();
        int changes = 1 + random.nextInt(MOST_CHANGES);
        for (int i = 0; i < changes; i++) {
            input = change(input);
        }
        return input;
    }

    private byte[] pick() {
        return corpus.get(random.nextInt(corpus.size()));
    }

    private byte[] change(byte[] input) {
        if (input.length == 0) {
            return pick().clone();
        }
        int at = random.nextInt(input.length);
        int run = Math.min(input.length - at, 1 + random.nextInt(LONGEST_RUN));
        switch (random.nextInt(KINDS)) {
            case 0 -> input[at] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            case 1 -> input[at] = (byte) random.nextInt();
            case 2 -> number(input, at, EDGES[random.nextInt(EDGES.length)]);
            case 3 -> input[at] += (byte) (random.nextInt(2 * LARGEST_STEP + 1) - LARGEST_STEP);
            case 4 -> {
                return join(input, at, new byte[0], at + run);
            }
            case 5 -> {
                byte[] fresh = new byte[run];
                random.nextBytes(fresh);
                return join(input, at, fresh, at);
            }
            case 6 -> {
                return join(input, at, Arrays.copyOfRange(input, at, at + run), at);
            }
            case 7 -> input[at] = input[random.nextInt(input.length)];
            default -> {
                byte[] other = pick();
                int from = random.nextInt(other.length + 1);
                int to = Math.min(other.length, from + random.nextInt(2 * LONGEST_RUN));
                return join(input, at, Arrays.copyOfRange(other, from, to),
                        random.nextBoolean() ? at : Math.min(input.length, at + to - from));
            }
        }
        return input;
    }

    /** A little-endian number of 1, 2, 4 or 8 bytes, as far as there is room. */
    private void number(byte[] input, int at, long value) {
        int bytes = 1 << random.nextInt(4);
        for (int i = 0; i < bytes && at + i < input.length; i++) {
            input[at + i] = (byte) (value >>> i * Byte.SIZE);
        }
    }

    /** What stands before one place, then something, then what stands from another on. */
    private static byte[] join(byte[] input, int end, byte[] middle, int begin) {
        byte[] joined = new byte[Math.min(LONGEST_INPUT,
                end + middle.length + input.length - begin)];
        System.arraycopy(input, 0, joined, 0, Math.min(end, joined.length));
        int room = joined.length - Math.min(end, joined.length);
        System.arraycopy(middle, 0, joined, joined.length - room, Math.min(room, middle.length));
        int left = Math.max(0, room - middle.length);
        System.arraycopy(input, begin, joined, joined.length - left, left);
        return joined;
    }
}
