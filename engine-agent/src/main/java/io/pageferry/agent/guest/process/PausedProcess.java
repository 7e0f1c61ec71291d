package io.pageferry.agent.guest.process;

import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.process.ProcessInstance;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
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
record PausedProcess(long pid, long startTicks, boolean tree) {
    private static final String TREE = "tree";
    private static final long END_NANOS = 5_000_000_000L;
    private static final long POLL_NANOS = 1_000_000L;

    /** Finds the process that a URI names. */
    static PausedProcess find(GuestUri uri, boolean tree) throws GuestException {
        if (!uri.rest().matches("[1-9][0-9]{0,9}")
                || !Set.of(ProcessKind.MAP).containsAll(uri.parameters().keySet())) {
            throw new IllegalArgumentException(
                    "write process:PID or process:PID?map=/path, not " + uri.text());
        }
        long pid = Long.parseLong(uri.rest());
        OptionalLong start = Processes.startTicks(pid);
        if (start.isEmpty() || !Processes.isAlive(pid)) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "there is no process " + pid
                    + " here, or it has ended", "look for it with ps, in this PID namespace");
        }
        return new PausedProcess(pid, start.getAsLong(), tree);
    }

    /** Finds again the process of a {@link #recoveryAddress}. */
    static PausedProcess of(Map<String, String> recoveryAddress) {
        ProcessInstance instance = ProcessInstance.of(recoveryAddress);
        return new PausedProcess(instance.pid(), instance.startTicks(),
                Boolean.parseBoolean(recoveryAddress.get(TREE)));
    }

    Map<String, String> recoveryAddress() {
        Map<String, String> recoveryAddress = new HashMap<>();
        new ProcessInstance(pid, startTicks).putInto(recoveryAddress);
        recoveryAddress.put(TREE, Boolean.toString(tree));
        return recoveryAddress;
    }

    String identity() {
        return new ProcessInstance(pid, startTicks).identity();
    }

    boolean isAlive() {
        return Processes.isAlive(pid) && isThere();
    }

    /** Its folder in proc. */
    static Path proc(long pid) {
        return Path.of("/proc", Long.toString(pid));
    }

    /** What it is called, for people. */
    String command() {
        try {
            // The process calls itself whatever it likes, in any bytes.
            return Printable.of(new String(Files.readAllBytes(proc(pid).resolve("comm")),
                    StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            return "";
        }
    }

    /**
     * Those that are paused: itself and, of a tree, its descendants; parents first. Empty once it
     * is gone, also if another process has its number then.
     */
    Set<Long> members() throws IOException {
        return !isThere() ? Set.of() : tree ? withDescendants() : Set.of(pid);
    }

    /** Whether its number is still its own, be it as a zombie. */
    private boolean isThere() {
        return Processes.startTicks(pid).orElse(-1) == startTicks;
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
        return at == pid && isThere();
    }

    /**
     * Notes when each started, in the same order, so that none is mistaken for a later one; those
     * that have ended are left out. Of itself it is known since it was found.
     */
    Map<Long, Long> identified(Set<Long> members) {
        Map<Long, Long> starts = new LinkedHashMap<>();
        for (long member : members) {
            OptionalLong start = member == pid ? OptionalLong.of(startTicks)
                    : Processes.startTicks(member);
            start.ifPresent(ticks -> starts.put(member, ticks));
        }
        return starts;
    }

    /** Signals all that {@link #identified} returned; those that end meanwhile are passed over. */
    static void signal(Map<Long, Long> starts, Signal signal) throws LinuxException {
        for (Map.Entry<Long, Long> one : starts.entrySet()) {
            Processes.signal(one.getKey(), one.getValue(), signal);
        }
    }

    /** Whether one of those that {@link #identified} returned has not ended. */
    static boolean anyAlive(Map<Long, Long> starts) {
        return starts.entrySet().stream().anyMatch(one -> Processes.isAlive(one.getKey())
                && Processes.startTicks(one.getKey()).orElse(-1) == one.getValue());
    }

    /** Waits until none of them is there, for some seconds at most; returns whether it is so. */
    static boolean awaitEnd(Map<Long, Long> starts) {
        long deadline = System.nanoTime() + END_NANOS;
        while (anyAlive(starts)) {
            if (System.nanoTime() - deadline >= 0) {
                return false;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return true;
    }
}
