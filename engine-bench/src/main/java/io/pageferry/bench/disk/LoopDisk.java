package io.pageferry.bench.disk;

import io.pageferry.bench.BenchProcess;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * A block device over a file that has no name any more: the kernel takes both away with their last
 * user, so also where this process is killed.
 */
final class LoopDisk implements AutoCloseable {
    private final RandomAccessFile file;
    private final FileChannel held;
    private final long bytes;
    private final String device;

    /** Makes an empty one, whose file is in some folder. */
    LoopDisk(Path folder, long bytes) throws IOException {
        Path name = Files.createTempFile(folder, "pageferry-bench", "disk");
        this.bytes = bytes;
        this.file = new RandomAccessFile(name.toFile(), "rw");
        try {
            file.setLength(bytes);
            this.device = BenchProcess.run(List.of("losetup", "--find", "--show",
                    name.toString())).getFirst();
        } finally {
            Files.delete(name);
        }
        this.held = FileChannel.open(Path.of(device), StandardOpenOption.READ);
        // With its last user.
        BenchProcess.run(List.of("losetup", "--detach", device));
    }

    /** Uses half of it. */
    void fillHalf(long seed) throws IOException {
        HalfDisk.fill(file, bytes, seed);
    }

    /** Makes all of it a hole again. */
    void empty() throws IOException {
        BenchProcess.run(List.of("blkdiscard", device));
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
        held.close();
        file.close();
    }
}
