package io.pageferry.bench.disk;

import io.pageferry.bench.move.Content;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.SplittableRandom;

/** What the disks of benchmarks hold: half of them is used. */
final class HalfDisk {
    private static final int PAGE = 4096;
    /** Data and nothing take turns. */
    private static final int STRIPE = 64 << 20;
    private static final int CHUNK_PAGES = 256;

    private HalfDisk() {
    }

    /** Fills each second stripe: two thirds noise, one third text. */
    static void fill(RandomAccessFile file, long bytes, long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] page = new byte[PAGE];
        byte[] chunk = new byte[CHUNK_PAGES * PAGE];
        for (long at = 0; at < bytes; at += chunk.length) {
            if (at / STRIPE % 2 == 1) {
                continue;
            }
            for (int i = 0; i < CHUNK_PAGES; i++) {
                (i % 3 == 0 ? Content.TEXT : Content.RANDOM).fill(page, i, random);
                System.arraycopy(page, 0, chunk, i * PAGE, PAGE);
            }
            file.seek(at);
            file.write(chunk, 0, (int) Math.min(chunk.length, bytes - at));
        }
    }
}
