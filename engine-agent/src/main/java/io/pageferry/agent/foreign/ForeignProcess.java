package io.pageferry.agent.foreign;

import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.linux.LinuxException;
import io.pageferry.agent.linux.Processes;
import io.pageferry.agent.linux.Processes.Signal;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/**
 * A process as it was found, and what is paused with it. Any thread.
 *
 * @param pid        its process id
 * @param startTicks when it started, so that a reused process id is never taken for it
 * @param tree       whether its descendants are paused with it
 */
record ForeignProcess(long pid, long startTicks, boolean tree) {
    private static final String PID = "pid";
    private static final String START = "start";
    private static final String TREE = "tree";
    private static final long END_NANOS = 5_000_000_000L;
    private static final long POLL_NANOS = 1_000_000L;

    /** Finds the process that a URI names. */
    static ForeignProcess find(GuestUri uri, boolean tree) throws GuestException {
        if (!uri.rest().matches("[1-9][0-9]{0,9}")
                || !Set.of(ForeignKind.MAP).containsAll(uri.parameters().keySet())) {
            throw new IllegalArgumentException(
                    "write process:PID or process:PID?map=/path, not " + uri.text());
        }
        long pid = Long.parseLong(uri.rest());
        OptionalLong start = Processes.startTicks(pid);
        if (start.isEmpty() || !Processes.isAlive(pid)) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "there is no process " + pid
                    + " here, or it has ended", "look for it with ps, in this PID namespace");
        }
        return new ForeignProcess(pid, start.getAsLong(), tree);
    }

    /** Finds again what {@link #reach} told. */
    static ForeignProcess of(Map<String, String> reach) {
        return new ForeignProcess(Long.parseLong(reach.get(PID)),
                Long.parseLong(reach.get(START)), Boolean.parseBoolean(reach.get(TREE)));
    }

    Map<String, String> reach() {
        Map<String, String> reach = new HashMap<>();
        reach.put(PID, Long.toString(pid));
        reach.put(START, Long.toString(startTicks));
        reach.put(TREE, Boolean.toString(tree));
        return reach;
    }

    String identity() {
        return ForeignKind.SCHEME + ":" + pid + ":" + startTicks;
    }

    boolean isAlive() {
        return Processes.isAlive(pid) && Processes.startTicks(pid).orElse(-1) == startTicks;
    }

    /** Its folder in proc. */
    static Path proc(long pid) {
        return Path.of("/proc", Long.toString(pid));
    }

    /** What it is called, for people. */
    String command() {
        try {
            return Files.readString(proc(pid).resolve("comm"), StandardCharsets.UTF_8).strip();
        } catch (IOException gone) {
            return "";
        }
    }

    /** Those that are paused: itself and, of a tree, its descendants; parents first. */
    Set<Long> members() throws IOException {
        return tree ? withDescendants() : Set.of(pid);
    }

    /** Itself and its descendants that have not ended, parents first. */
    Set<Long> withDescendants() throws IOException {
        Map<Long, List<Long>> children = new TreeMap<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path one : all) {
                long child = Long.parseLong(one.getFileName().toString());
                Processes.parent(child).ifPresent(parent ->
                        children.computeIfAbsent(parent, any -> new ArrayList<>()).add(child));
            }
        }
        Set<Long> found = new LinkedHashSet<>();
        List<Long> next = List.of(pid);
        while (!next.isEmpty()) {
            found.addAll(next);
            next = next.stream().flatMap(parent ->
                    children.getOrDefault(parent, List.of()).stream()).toList();
        }
        found.removeIf(one -> one != pid && !Processes.isAlive(one));
        return found;
    }

    /** Whether a process is a member. */
    boolean owns(long other) {
        long at = other;
        while (tree && at != pid && at > 0) {
            at = Processes.parent(at).orElse(0);
        }
        return at == pid;
    }

    /** Signals every member; those that end meanwhile are passed over. */
    void signal(Set<Long> members, Signal signal) throws LinuxException {
        for (long member : members) {
            OptionalLong start = Processes.startTicks(member);
            if (start.isPresent()) {
                Processes.signal(member, start.getAsLong(), signal);
            }
        }
    }

    /** Waits until none of them is there, for some seconds at most; tells whether it is so. */
    static boolean awaitEnd(Set<Long> members) {
        long deadline = System.nanoTime() + END_NANOS;
        while (members.stream().anyMatch(Processes::isAlive)) {
            if (System.nanoTime() - deadline >= 0) {
                return false;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return true;
    }
}
