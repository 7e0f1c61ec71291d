package io.pageferry.agent.host.machine.adapt;

import io.pageferry.agent.host.process.ProgramRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The files of a FAT partition, as that of EFI, in memory while a system is adapted, where its
 * programs look for them; what was changed is written back. By mtools: not every kernel has FAT.
 */
final class FatPartition {
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final String FOLDER = "";

    private final PrivateSpace space;
    private final String node;
    private final Path point;
    private final Map<String, String> before;

    private FatPartition(PrivateSpace space, String node, Path point) throws IOException {
        this.space = space;
        this.node = node;
        this.point = point;
        this.before = files();
    }

    /**
     * Has its files appear.
     *
     * @param space in which
     * @param node  of the partition
     * @param point the folder, as the space sees it
     * @return the partition
     * @throws IOException when it cannot be read
     */
    static FatPartition open(PrivateSpace space, String node, Path point) throws IOException {
        ProgramRunner.requireProgram("mcopy", "mtools");
        space.run(LIMIT, List.of("mount", "-t", "tmpfs", "-o", "nosuid,nodev,noexec", "tmpfs",
                point.toString()));
        space.run(LIMIT, List.of("mcopy", "-s", "-n", "-m", "-i", node, "::/", point.toString()));
        return new FatPartition(space, node, point);
    }

    /** Each path below the point, with a sum of its content; a folder has none. */
    private Map<String, String> files() throws IOException {
        Path seen = space.seen(point);
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(seen)) {
            for (Path one : (Iterable<Path>) all::iterator) {
                String name = "/" + seen.relativize(one);
                if (Files.isDirectory(one)) {
                    files.put(name, FOLDER);
                } else if (Files.isRegularFile(one)) {
                    files.put(name, sum(one));
                }
            }
        }
        return files;
    }

    private static String sum(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256")
                    .digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Writes what was changed; a file that does not fit fails.
     *
     * @throws IOException when something cannot be written
     */
    void writeBack() throws IOException {
        Map<String, String> after = files();
        for (String gone : before.keySet().stream().filter(one -> !after.containsKey(one))
                .toList().reversed()) {
            space.run(LIMIT, List.of(before.get(gone).equals(FOLDER) ? "mrd" : "mdel", "-i", node,
                    "::" + gone));
        }
        for (Map.Entry<String, String> one : after.entrySet()) {
            String there = "::" + one.getKey();
            if (one.getValue().equals(FOLDER)) {
                if (!before.containsKey(one.getKey())) {
                    space.run(LIMIT, List.of("mmd", "-i", node, there));
                }
            } else if (!Optional.of(one.getValue()).equals(
                    Optional.ofNullable(before.get(one.getKey())))) {
                space.run(LIMIT, List.of("mcopy", "-D", "o", "-m", "-i", node,
                        point + one.getKey(), there));
            }
        }
    }
}
