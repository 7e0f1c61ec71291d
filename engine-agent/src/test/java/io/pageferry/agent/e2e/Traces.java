package io.pageferry.agent.e2e;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What an agent could leave in the process of a guest; equal before and after where it left
 * nothing.
 *
 * @param descriptors how many there are of each kind; numbers of sockets and the like left out
 * @param mappings    what is mapped from files, with the permissions
 * @param blocked     signals that the main thread, which is the one that is traced, has blocked
 * @param tracer      process id of who traces it, 0: nobody
 * @param protectedMappings mappings that are registered with a userfaultfd (proc(5), VmFlags)
 */
record Traces(Map<String, Integer> descriptors, Set<String> mappings, String blocked,
        String tracer, List<String> protectedMappings) {

    static Traces of(long pid) throws IOException {
        Path process = Path.of("/proc", Long.toString(pid));
        Set<String> mappings = new TreeSet<>();
        lines(process.resolve("maps")).map(line -> line.split(" +", 6))
                .filter(fields -> fields.length == 6 && !fields[5].startsWith("["))
                .forEach(fields -> mappings.add(fields[1] + " " + fields[5]));
        List<String> marked = lines(process.resolve("smaps"))
                .filter(line -> line.startsWith("VmFlags:"))
                .filter(line -> List.of(line.split(" ")).stream()
                        .anyMatch(flag -> flag.equals("uw") || flag.equals("um")
                                || flag.equals("ui"))).toList();
        return new Traces(descriptors(process.resolve("fd")), mappings,
                status(process, "SigBlk"), status(process, "TracerPid"), marked);
    }

    private static Map<String, Integer> descriptors(Path folder) throws IOException {
        Map<String, Integer> counts = new TreeMap<>();
        try (DirectoryStream<Path> open = Files.newDirectoryStream(folder)) {
            for (Path one : open) {
                try {
                    String target = Files.readSymbolicLink(one).toString();
                    counts.merge(target.replaceFirst("\\[\\d+]$", ""), 1, Integer::sum);
                } catch (NoSuchFileException e) {
                    continue;
                }
            }
        }
        return counts;
    }

    private static String status(Path process, String name) throws IOException {
        return lines(process.resolve("status")).filter(line -> line.startsWith(name + ":"))
                .findFirst().orElseThrow().substring(name.length() + 1).strip();
    }

    private static Stream<String> lines(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.ISO_8859_1).lines();
    }

    /** True where no userfaultfd, no registered mapping and no tracer is there. */
    boolean isUntracked() {
        return protectedMappings.isEmpty() && tracer.equals("0")
                && descriptors.keySet().stream().noneMatch(name -> name.contains("userfaultfd"));
    }
}
