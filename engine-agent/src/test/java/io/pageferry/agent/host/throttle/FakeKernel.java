package io.pageferry.agent.host.throttle;

import io.pageferry.agent.host.cgroup.CgroupFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A tree of files that behaves like cgroup v2 with the cpu controller, as far as cgroup-v2.rst
 * says what is allowed; for machines whose kernel has given that controller to v1. It has a proc
 * beside it, with one process whose threads want to run all the time.
 */
final class FakeKernel implements CgroupFiles {
    static final long PID = (1L << 22) + 7;

    private static final String THREADS = "cgroup.threads";
    private static final String SUBTREE = "cgroup.subtree_control";

    private final Path mount;
    private final Path proc;
    private final Map<Long, Path> places = new TreeMap<>();

    FakeKernel(Path folder) throws IOException {
        mount = Files.createDirectories(folder.resolve("cgroup tree"));
        proc = Files.createDirectories(folder.resolve("proc"));
        populate(mount, "cpu memory");
        Files.writeString(mount.resolve(SUBTREE), "cpu memory");
        Files.createDirectories(proc.resolve("self"));
        Files.writeString(proc.resolve("self/mountinfo"), "24 1 0:22 / /proc rw - proc proc rw\n"
                + "35 24 0:30 / " + mount.toString().replace(" ", "\\040")
                + " rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
    }

    ThrottledProcess throttled() {
        return new ThrottledProcess(proc, PID, 4711);
    }

    Path mount() {
        return mount;
    }

    /** Puts a thread of the process somewhere, made where it is not there. */
    void thread(long thread, Path group) throws IOException {
        if (!Files.exists(group)) {
            make(group);
        }
        move(thread, group);
    }

    void killAll() throws IOException {
        for (Long thread : List.copyOf(places.keySet())) {
            Path group = places.remove(thread);
            rewrite(group);
            try (Stream<Path> files = Files.list(throttled().task(thread))) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(throttled().task(thread));
        }
    }

    @Override
    public void make(Path group) throws IOException {
        Files.createDirectory(group);
        populate(group, Files.readString(group.getParent().resolve(SUBTREE)));
        if (Files.readString(group.getParent().resolve("cgroup.type")).equals("threaded")) {
            Files.writeString(group.resolve("cgroup.type"), "domain invalid");
        }
    }

    private static void populate(Path group, String controllers) throws IOException {
        for (String file : List.of(THREADS, SUBTREE)) {
            Files.writeString(group.resolve(file), "");
        }
        Files.writeString(group.resolve("cgroup.controllers"), controllers);
        Files.writeString(group.resolve("cgroup.type"), "domain");
        Files.writeString(group.resolve("cpu.stat"), "usage_usec 0\n");
        cpu(group, controllers.contains("cpu"));
    }

    private static void cpu(Path group, boolean on) throws IOException {
        if (on) {
            Files.writeString(group.resolve("cpu.max"), "max 100000");
        } else {
            Files.deleteIfExists(group.resolve("cpu.max"));
        }
    }

    @Override
    public void remove(Path group) throws IOException {
        if (places.containsValue(group) || !children(group).isEmpty()) {
            throw new IOException(group + ": Device or resource busy");
        }
        try (Stream<Path> files = Files.list(group)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(group);
    }

    @Override
    public String read(Path file) throws IOException {
        if (file.endsWith("cpu.stat")) {
            Path group = file.getParent();
            boolean holds = places.containsValue(group)
                    && !Files.readString(group.resolve("cpu.max")).startsWith("max");
            long held = Files.readString(file).lines().filter(line ->
                    line.startsWith("throttled_usec ")).mapToLong(line ->
                    Long.parseLong(line.substring(15))).findFirst().orElse(0);
            // Whoever looks again finds it held for longer.
            Files.writeString(file, "usage_usec 0\nthrottled_usec "
                    + (held + (holds ? 1_000 : 0)) + "\n");
        }
        return Files.readString(file);
    }

    @Override
    public void write(Path file, String value) throws IOException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        Path group = file.getParent();
        switch (file.getFileName().toString()) {
            case THREADS -> move(Long.parseLong(value), group);
            case SUBTREE -> share(group, value);
            case "cgroup.type" -> {
                if (!value.equals("threaded") || !mount.equals(group.getParent())
                        && Files.readString(group.getParent().resolve(SUBTREE))
                                .contains("memory")) {
                    throw new IOException("Operation not supported");
                }
                Files.writeString(file, value);
            }
            case "cpu.max" -> Files.writeString(file, max(value));
            default -> throw new IOException(file + ": Permission denied");
        }
    }

    /** Quota and period in microseconds, 1 ms and 1 s are the bounds of the kernel. */
    private static String max(String value) throws IOException {
        String[] parts = value.split(" ");
        if (parts[0].equals("max")) {
            return "max 100000";
        }
        long quota = Long.parseLong(parts[0]);
        long period = Long.parseLong(parts[1]);
        if (quota < 1_000 || period < 1_000 || period > 1_000_000) {
            throw new IOException("Invalid argument");
        }
        return value;
    }

    private void share(Path group, String value) throws IOException {
        String controllers = Files.readString(group.resolve("cgroup.controllers"));
        if (!controllers.contains(value.substring(1))) {
            throw new NoSuchFileException("no such controller");
        }
        TreeSet<String> shared = new TreeSet<>(List.of(
                Files.readString(group.resolve(SUBTREE)).split(" ")));
        shared.remove("");
        boolean on = value.startsWith("+");
        if (on) {
            shared.add(value.substring(1));
        } else {
            shared.remove(value.substring(1));
        }
        Files.writeString(group.resolve(SUBTREE), String.join(" ", shared));
        for (Path child : children(group)) {
            Files.writeString(child.resolve("cgroup.controllers"), String.join(" ", shared));
            cpu(child, shared.contains("cpu"));
        }
    }

    private void move(long thread, Path group) throws IOException {
        if (Files.readString(group.resolve("cgroup.type")).equals("domain invalid")
                || isThreaded(group) && !places.containsKey(thread)) {
            throw new IOException("Operation not supported");
        }
        Path from = places.put(thread, group);
        if (from != null) {
            rewrite(from);
        }
        rewrite(group);
        Path task = Files.createDirectories(throttled().task(thread));
        Files.writeString(task.resolve("schedstat"), "0 0 0\n");
        Files.writeString(task.resolve("cgroup"),
                "1:name=systemd:/\n0::/" + mount.relativize(group) + "\n");
    }

    private static boolean isThreaded(Path group) throws IOException {
        return Files.readString(group.resolve("cgroup.type")).equals("threaded");
    }

    private void rewrite(Path group) throws IOException {
        List<String> inside = new ArrayList<>();
        places.forEach((thread, place) -> {
            if (place.equals(group)) {
                inside.add(thread + "\n");
            }
        });
        Files.writeString(group.resolve(THREADS), String.join("", inside));
    }
}
