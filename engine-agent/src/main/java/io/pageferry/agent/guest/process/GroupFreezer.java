package io.pageferry.agent.guest.process;

import io.pageferry.agent.host.cgroup.CgroupFiles;
import io.pageferry.agent.host.cgroup.Hierarchy;
import io.pageferry.agent.host.cgroup.NestedGroup;
import io.pageferry.agent.host.linux.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * Freezes a control group: the one that the process has for itself and its descendants where it
 * has one, as a service of systemd does; else one made for them inside the group that they are
 * in, so that every limit of that one holds on, and its name shows a recovery where they came from
 * (cgroup-v2.rst, freezer-subsystem.rst). The name has a token of this move: another move of the
 * same process, or a recovery after that one, does not touch it.
 */
final class GroupFreezer extends Freezer {
    static final String CONTROLLER = "freezer";

    private static final String PROCS = "cgroup.procs";
    private static final String PREFIX = "pageferry-frozen-";
    private static final int TOKEN_DIGITS = 8;

    private final Hierarchy hierarchy;
    private final Path own;
    private final String token;
    private final Path home;
    private final Map<Long, Long> frozen = new LinkedHashMap<>();

    /**
     * Makes the freezer.
     *
     * @param process   to be frozen
     * @param hierarchy in which
     * @param own       the group that it has for itself, or null
     * @param token     of the move; groups made with another one belong to another move
     */
    GroupFreezer(PausedProcess process, Hierarchy hierarchy, Path own, String token) {
        super(process);
        this.hierarchy = hierarchy;
        this.own = own;
        this.token = token;
        this.home = home();
    }

    /** The group that it is in, or the root where that cannot be seen. */
    private Path home() {
        try {
            Path group = hierarchy.groupOf(PausedProcess.proc(process.pid()));
            return group.endsWith(madeName()) ? group.getParent() : group;
        } catch (IOException e) {
            return hierarchy.mount();
        }
    }

    /** Makes a freezer: over the process's own group where it has one. */
    static GroupFreezer of(PausedProcess process, Hierarchy hierarchy) throws IOException {
        String token = UUID.randomUUID().toString().substring(0, TOKEN_DIGITS);
        GroupFreezer shared = new GroupFreezer(process, hierarchy, null, token);
        Path group = shared.home;
        boolean alone = !group.equals(hierarchy.mount())
                && Files.exists(group.resolve(file(hierarchy))) && isDomain(group)
                && isAlone(process, hierarchy, group);
        return alone ? new GroupFreezer(process, hierarchy, group, token) : shared;
    }

    /** The group, made by a move, in which a member stands frozen. */
    static Optional<Path> frozenByMove(PausedProcess process) throws IOException {
        for (Hierarchy one : Hierarchy.find(Path.of("/proc"), CONTROLLER)) {
            for (long member : process.members()) {
                try {
                    Path group = one.groupOf(PausedProcess.proc(member));
                    if (isMade(group) && isFrozen(group, one)) {
                        return Optional.of(group.resolve(file(one)));
                    }
                } catch (IOException e) {
                    // It ended, or is where nothing was made from here.
                }
            }
        }
        return Optional.empty();
    }

    /** Whether a group holds whole processes; version 2 has others, which list only threads. */
    private static boolean isDomain(Path group) throws IOException {
        Path type = group.resolve("cgroup.type");
        return !Files.exists(type) || Files.readString(type).strip().equals("domain");
    }

    /** Whether all members and no others are in a group; some may come and go meanwhile. */
    private static boolean isAlone(PausedProcess process, Hierarchy hierarchy, Path group)
            throws IOException {
        for (long member : process.members()) {
            try {
                if (!hierarchy.groupOf(PausedProcess.proc(member)).startsWith(group)) {
                    return false;
                }
            } catch (IOException e) {
                if (Processes.isAlive(member)) {
                    return false;
                }
            }
        }
        return everybody(group).stream().allMatch(one ->
                process.owns(one) || !Processes.isAlive(one));
    }

    int version() {
        return hierarchy.version();
    }

    /** Part of the names of the groups that are made. */
    String token() {
        return token;
    }

    /** The group that is its own, and was before. */
    Optional<Path> own() {
        return Optional.ofNullable(own);
    }

    /** Why it cannot be done, as far as reading shows. */
    Optional<String> obstacle() {
        try {
            Path group = hierarchy.groupOf(PausedProcess.proc(process.pid()));
            if (!isDomain(group)) {
                return Optional.of(group + " is threaded");
            }
            Path needed = own == null ? group : group.resolve(file(hierarchy));
            return Files.isWritable(needed) && Files.isWritable(group.resolve(PROCS))
                    ? Optional.empty() : Optional.of(needed + " cannot be written");
        } catch (IOException e) {
            return Optional.of(e.getMessage());
        }
    }

    @Override
    String name() {
        return "cgroup v" + hierarchy.version() + " freezer";
    }

    @Override
    String how() {
        return name() + (own == null ? ", in a group made for it" : " of its own group " + own);
    }

    @Override
    String byHand() {
        String value = hierarchy.version() == 2 ? "0" : "THAWED";
        Path group = own == null ? home.resolve(madeName()) : own;
        return "echo " + value + " > " + group.resolve(file(hierarchy));
    }

    @Override
    void freeze(Meanwhile meanwhile) throws IOException {
        long deadline = System.nanoTime() + LIMIT_NANOS;
        Set<Path> groups = new LinkedHashSet<>();
        if (own != null) {
            groups.add(own);
            set(own, true);
        }
        while (true) {
            // In a frozen group no process forks, so that in the end none is left outside.
            boolean moved = own == null && gather(groups);
            if (!moved && allFrozen(groups)) {
                frozen.putAll(everybody());
                return;
            }
            meanwhile.turn();
            if (System.nanoTime() - deadline >= 0) {
                throw new IOException("process " + process.pid() + " does not freeze: see "
                        + groups);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** Moves all members into frozen groups inside their own; returns whether any was moved. */
    private boolean gather(Set<Path> groups) throws IOException {
        boolean moved = false;
        for (long member : process.members()) {
            try {
                Path at = hierarchy.groupOf(PausedProcess.proc(member));
                boolean there = at.endsWith(madeName());
                Path made = there ? at : at.resolve(madeName());
                if (groups.add(made)) {
                    if (!Files.exists(made)) {
                        CgroupFiles.KERNEL.make(made);
                    }
                    set(made, true);
                }
                if (!there) {
                    CgroupFiles.KERNEL.write(made.resolve(PROCS), Long.toString(member));
                    moved = true;
                }
            } catch (IOException e) {
                if (Processes.isAlive(member)) {
                    throw e;
                }
            }
        }
        return moved;
    }

    private boolean allFrozen(Set<Path> groups) throws IOException {
        for (Path group : groups) {
            if (!isFrozen(group, hierarchy)) {
                return false;
            }
        }
        return true;
    }

    /** Also those whose parents ended while they stood still: they are in the group as before. */
    @Override
    Map<Long, Long> everybody() throws IOException {
        Set<Long> all = new LinkedHashSet<>(process.members());
        if (own != null && process.isAlive()) {
            all.addAll(everybody(own));
        }
        for (Path group : made()) {
            all.addAll(everybody(group));
        }
        Map<Long, Long> starts = process.identified(all);
        starts.putAll(frozen);
        return starts;
    }

    @Override
    boolean holds() throws IOException {
        return process.members().stream().filter(Processes::isAlive)
                .allMatch(member -> isFrozen(member, List.of(hierarchy)));
    }

    @Override
    void thaw() throws IOException {
        for (Path group : own == null ? made() : Set.of(own)) {
            set(group, false);
        }
        frozen.clear();
    }

    /** Moves all processes of a made group to the group around it, and removes it. */
    @Override
    void leave() throws IOException {
        for (Path group : made()) {
            set(group, false);
            new NestedGroup(CgroupFiles.KERNEL, group, PROCS).dissolve();
        }
    }

    /** The groups that were made for this process, wherever they are. */
    private Set<Path> made() throws IOException {
        Set<Path> found = new LinkedHashSet<>();
        find(hierarchy.mount(), found);
        return found;
    }

    private void find(Path group, Set<Path> found) throws IOException {
        for (Path one : CgroupFiles.KERNEL.children(group)) {
            if (one.endsWith(madeName())) {
                found.add(one);
            } else if (Files.isReadable(one)) {
                find(one, found);
            }
        }
    }

    private static boolean isMade(Path group) {
        return group.getFileName() != null && group.getFileName().toString().startsWith(PREFIX);
    }

    /** Names one for ever: no later process of the same number has it, and no other move. */
    private String madeName() {
        return PREFIX + process.pid() + "-" + process.startTicks()
                + (token.isEmpty() ? "" : "-" + token);
    }

    private static String file(Hierarchy hierarchy) {
        return hierarchy.version() == 2 ? "cgroup.freeze" : "freezer.state";
    }

    private void set(Path group, boolean frozen) throws IOException {
        String value = hierarchy.version() == 2 ? frozen ? "1" : "0"
                : frozen ? "FROZEN" : "THAWED";
        try {
            CgroupFiles.KERNEL.write(group.resolve(file(hierarchy)), value);
        } catch (NoSuchFileException e) {
            if (frozen) {
                throw e;
            }
        }
    }

    /** Whether a process is in a frozen group of one of these hierarchies. */
    static boolean isFrozen(long pid, List<Hierarchy> hierarchies) {
        for (Hierarchy one : hierarchies) {
            try {
                if (isFrozen(one.groupOf(PausedProcess.proc(pid)), one)) {
                    return true;
                }
            } catch (IOException e) {
                // A group that cannot be seen is none that we froze.
            }
        }
        return false;
    }

    private static boolean isFrozen(Path group, Hierarchy hierarchy) throws IOException {
        Path state = group.resolve(hierarchy.version() == 2 ? "cgroup.events" : "freezer.state");
        String wanted = hierarchy.version() == 2 ? "frozen 1" : "FROZEN";
        return Files.exists(state) && lines(state).contains(wanted);
    }

    /** All processes in a group and in those inside it. */
    private static Set<Long> everybody(Path group) throws IOException {
        Set<Long> all = new HashSet<>();
        for (String line : lines(group.resolve(PROCS))) {
            all.add(Long.parseLong(line));
        }
        for (Path one : CgroupFiles.KERNEL.children(group)) {
            all.addAll(everybody(one));
        }
        return all;
    }

    private static List<String> lines(Path file) throws IOException {
        try {
            return Files.readString(file).lines().map(String::strip)
                    .filter(line -> !line.isEmpty()).collect(Collectors.toList());
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }
}
