package io.pageferry.core.testing.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The inputs of one target in the repository: {@code src/test/resources/corpus/NAME/…}. */
final class Corpus {
    /** Set to true, the seeds are written instead of compared. */
    private static final boolean WRITES = Boolean.getBoolean("pageferry.fuzz.seeds");

    private final Path folder;
    private final Map<String, byte[]> files = new TreeMap<>();

    /** Reads it; the current folder is the module's, as in every test. */
    Corpus(FuzzTarget target) throws IOException {
        folder = Path.of("src/test/resources/corpus", target.name());
        if (WRITES) {
            write(target.seeds());
        }
        try (Stream<Path> all = Files.list(folder)) {
            for (Path file : all.toList()) {
                files.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
    }

    /** {@return the inputs by the names of their files, in the order of these} */
    Map<String, byte[]> files() {
        return files;
    }

    /** {@return the inputs} */
    List<byte[]> inputs() {
        return List.copyOf(files.values());
    }

    /** Makes an input of a seed: with a first byte that has it sealed and chooses nothing. */
    static byte[] input(byte[] seed) {
        byte[] input = new byte[seed.length + 1];
        System.arraycopy(seed, 0, input, 1, seed.length);
        return input;
    }

    private void write(Map<String, byte[]> seeds) throws IOException {
        Files.createDirectories(folder);
        for (Map.Entry<String, byte[]> seed : seeds.entrySet()) {
            Files.write(folder.resolve(seed.getKey()), input(seed.getValue()));
        }
    }
}
