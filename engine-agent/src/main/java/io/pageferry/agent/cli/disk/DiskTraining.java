package io.pageferry.agent.cli.disk;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Has a JVM learn what a copy of a disk needs, which is short beside a cold start: into an image,
 * where the programs for that are installed, and back.
 */
public final class DiskTraining {
    private static final int BYTES = 4 << 20;
    private static final long SEED = 4;

    private DiskTraining() {
    }

    /**
     * Copies a small disk to and fro. No failure is reported: what follows is only slower.
     *
     * @param command runs the words of a command line
     */
    public static void run(Consumer<String[]> command) {
        Path folder = null;
        try {
            folder = Files.createTempDirectory("pageferry-training");
            String raw = folder.resolve("disk.raw").toString();
            String image = folder.resolve("disk.qcow2").toString();
            fill(raw);
            for (String[] pair : new String[][] {{raw, image},
                    {image + "?format=qcow2", raw + ".img"}}) {
                command.accept(new String[] {"convert", pair[0], pair[1], "--json", "--state-dir",
                        folder.resolve("state").toString()});
            }
        } catch (IOException e) {
            // Nothing is there to be copied.
        } finally {
            delete(folder);
        }
    }

    /** Something, and then nothing. */
    private static void fill(String file) throws IOException {
        byte[] noise = new byte[BYTES / 2];
        new SplittableRandom(SEED).nextBytes(noise);
        try (RandomAccessFile disk = new RandomAccessFile(file, "rw")) {
            disk.write(noise);
            disk.setLength(BYTES);
        }
    }

    private static void delete(Path folder) {
        if (folder == null) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            // A folder in the temporary directory does no harm.
        }
    }
}
