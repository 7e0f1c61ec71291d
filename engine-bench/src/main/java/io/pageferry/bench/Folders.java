package io.pageferry.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Folders that a benchmark makes and takes away. */
public final class Folders {
    private Folders() {
    }

    /** {@return a new folder} */
    public static Path temporary() throws IOException {
        return Files.createTempDirectory("pageferry-bench");
    }

    /**
     * Deletes a folder and what is in it.
     *
     * @param folder may be gone already
     * @throws IOException when something resists
     */
    public static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
