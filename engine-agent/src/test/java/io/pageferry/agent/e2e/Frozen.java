package io.pageferry.agent.e2e;

import io.pageferry.agent.host.cgroup.Hierarchy;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.SharedMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** What a move of a process left of a pause. */
final class Frozen {
    private static final String PREFIX = "pageferry-frozen-";
    private static final long WINDOW = 1 << 20;

    private Frozen() {
    }

    /** The groups that were made for a process, and are still there. */
    static List<Path> groups(long pid) throws IOException {
        List<Path> found = new ArrayList<>();
        for (Hierarchy one : Hierarchy.find(Path.of("/proc"), "freezer")) {
            Path home = one.groupOf(Path.of("/proc/self"));
            try (var inside = Files.newDirectoryStream(home, PREFIX + pid + "-*")) {
                inside.forEach(found::add);
            }
        }
        return found;
    }

    /** Lets go whatever is still frozen, and removes its groups once nobody is in them. */
    static void cleanUp(List<Path> groups) throws IOException {
        for (Path group : groups) {
            for (String file : List.of("cgroup.freeze", "freezer.state")) {
                if (Files.exists(group.resolve(file))) {
                    Files.writeString(group.resolve(file), file.endsWith("state") ? "THAWED" : "0",
                            StandardOpenOption.WRITE);
                }
            }
        }
        for (Path group : groups) {
            Poll.until(() -> isRemoved(group), () -> group + " is still in use");
        }
    }

    private static boolean isRemoved(Path group) {
        try {
            Files.deleteIfExists(group);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** The line by which an operator lets a kept process go, as the agent says it. */
    static String line(Agent source) throws IOException {
        String before = "to let it go on: ";
        String warning = source.await("warning", event -> event.path("message").asText()
                .contains(before)).path("message").asText();
        return warning.substring(warning.indexOf(before) + before.length());
    }

    /**
     * Compares a part of an image with the memory that a process has at an address.
     *
     * @return the first byte that differs, or −1
     */
    static long mismatch(Path image, long at, long size, long pid, long address)
            throws IOException {
        ProcessMaps.Mapping mapping = ProcessMaps.of(pid).stream()
                .filter(one -> one.start() == address).findFirst().orElseThrow();
        Path memory = Path.of("/proc/" + pid + "/map_files/" + Long.toHexString(mapping.start())
                + "-" + Long.toHexString(mapping.end()));
        try (Arena arena = Arena.ofConfined();
                SharedMemory theirs = SharedMemory.openReadOnly(memory);
                SharedMemory ours = SharedMemory.openReadOnly(image)) {
            MemorySegment one = arena.allocate(WINDOW, Long.BYTES);
            MemorySegment two = arena.allocate(WINDOW, Long.BYTES);
            for (long done = 0; done < size; done += WINDOW) {
                long length = Math.min(WINDOW, size - done);
                read(ours, at + done, one.asSlice(0, length));
                read(theirs, mapping.offset() + done, two.asSlice(0, length));
                long found = one.asSlice(0, length).mismatch(two.asSlice(0, length));
                if (found >= 0) {
                    return at + done + found;
                }
            }
            return -1;
        }
    }

    /** What is behind the end of a file counts as zeros. */
    private static void read(SharedMemory from, long at, MemorySegment into) throws IOException {
        into.fill((byte) 0);
        from.read(at, into, 0, into.byteSize());
    }
}
