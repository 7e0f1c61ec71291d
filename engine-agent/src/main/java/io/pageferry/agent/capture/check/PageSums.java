package io.pageferry.agent.capture.check;

import io.pageferry.agent.capture.frame.Crc;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/** The last checksum of each page that was sent, their digest, and what a round has sent. */
final class PageSums {
    static final int PAGE = 4096;
    static final int ZEROS = Crc.of(ByteBuffer.allocate(PAGE), 0, PAGE);

    /** More pages are not summed: it would take hours, for a number that anybody may write. */
    private static final long MOST = 1L << 30;

    /** Pages kept in one piece: few, for a page that is alone in its piece costs all of it. */
    private static final int CHUNK = 1 << 10;

    private final long pages;
    private final Map<Long, int[]> sums = new HashMap<>();
    private final Map<Long, BitSet> round = new HashMap<>();

    PageSums(long pages) {
        this.pages = pages;
    }

    /** Notes a page; false where the round has it already. */
    boolean add(long page, int crc) {
        int at = (int) (page % CHUNK);
        sums.computeIfAbsent(page / CHUNK, any -> zeros())[at] = crc;
        BitSet sent = round.computeIfAbsent(page / CHUNK, any -> new BitSet(CHUNK));
        boolean fresh = !sent.get(at);
        sent.set(at);
        return fresh;
    }

    /** The checksum of what was sent of a page last. */
    int of(long page) {
        int[] known = sums.get(page / CHUNK);
        return known == null ? ZEROS : known[(int) (page % CHUNK)];
    }

    private static int[] zeros() {
        int[] chunk = new int[CHUNK];
        Arrays.fill(chunk, ZEROS);
        return chunk;
    }

    void nextRound() {
        round.clear();
    }

    boolean canSum() {
        return pages <= MOST;
    }

    /** The sum of PROTOCOL.md §7 over all pages; those that were never sent are zeros. */
    long digest() {
        long digest = 0;
        for (long chunk = 0; chunk * CHUNK < pages; chunk++) {
            int[] known = sums.get(chunk);
            int count = (int) Math.min(CHUNK, pages - chunk * CHUNK);
            for (int i = 0; i < count; i++) {
                digest += term(chunk * CHUNK + i, known == null ? ZEROS : known[i]);
            }
        }
        return digest;
    }

    static long term(long page, int crc) {
        return mix(mix(page + 0x9E37_79B9_7F4A_7C15L) + Integer.toUnsignedLong(crc));
    }

    private static long mix(long number) {
        long z = number;
        z = (z ^ z >>> 30) * 0xBF58_476D_1CE4_E5B9L;
        z = (z ^ z >>> 27) * 0x94D0_49BB_1331_11EBL;
        return z ^ z >>> 31;
    }
}
