package io.pageferry.bench.disk;

import io.pageferry.bench.BenchProcess;
import io.pageferry.bench.move.Content;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** A block device over a file, for as long as it is open. */
final class LoopDisk implements AutoCloseable {
    private static final int PAGE = 4096;
    /** Data and nothing take turns. */
    private static final int STRIPE = 64 << 20;
    private static final int CHUNK_PAGES = 256;

    private final Path file;
    private final long bytes;
    private final String device;

    /** Makes an empty one. */
    LoopDisk(Path file, long bytes) throws IOException {
        this.file = file;
        this.bytes = bytes;
        try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
            made.setLength(bytes);
        }
        this.device = BenchProcess.run(List.of("losetup", "--find", "--show", file.toString()))
                .getFirst();
    }

    /** Fills each second stripe: two thirds noise, one third text. */
    void fillHalf(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] page = new byte[PAGE];
        byte[] chunk = new byte[CHUNK_PAGES * PAGE];
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            for (long at = 0; at < bytes; at += chunk.length) {
                if (at / STRIPE % 2 == 1) {
                    continue;
                }
                for (int i = 0; i < CHUNK_PAGES; i++) {
                    (i % 3 == 0 ? Content.TEXT : Content.RANDOM).fill(page, i, random);
                    System.arraycopy(page, 0, chunk, i * PAGE, PAGE);
                }
                open.seek(at);
                open.write(chunk, 0, (int) Math.min(chunk.length, bytes - at));
            }
        }
    }

    /** Makes all of it a hole again. */
    void empty() throws IOException {
        BenchProcess.run(List.of("blkdiscard", "--zeroout", device));
        BenchProcess.run(List.of("fallocate", "--punch-hole", "--offset", "0", "--length",
                Long.toString(bytes), file.toString()));
    }

    /** Returns what differs, or null. */
    String differsFrom(LoopDisk other) {
        try {
            BenchProcess.run(List.of("cmp", device, other.device));
            return null;
        } catch (IOException e) {
            return "the target differs: " + e.getMessage();
        }
    }

    String device() {
        return device;
    }

    @Override
    public void close() throws IOException {
        BenchProcess.run(List.of("losetup", "--detach", device));
    }
}
