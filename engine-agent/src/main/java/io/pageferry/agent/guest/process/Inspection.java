package io.pageferry.agent.guest.process;

import io.pageferry.agent.guest.GuestKind.Finding;
import io.pageferry.agent.guest.GuestKind.Verdict;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The table of docs/OPERATIONS.md for one process: what {@code check} reports and {@code migrate}
 * refuses. Changes nothing. Owns the memory that it found until that is taken.
 */
final class Inspection implements AutoCloseable {
    private static final String SCAN = "use --tracker scan";

    private final PausedProcess process;
    private final List<Finding> rows = new ArrayList<>();
    private SharedMappings mappings;
    /** Memory without a name that is open for writing; null where there is none. */
    private String writtenBy;
    private Freezer freezer;

    private Inspection(PausedProcess process) {
        this.process = process;
    }

    /**
     * Looks at a process.
     *
     * @param process what is meant
     * @param only    the path of the one file that is meant, or null for all
     * @throws GuestException when it may not be looked at
     */
    static Inspection of(PausedProcess process, String only) throws GuestException {
        Inspection found = new Inspection(process);
        boolean done = false;
        try {
            found.look(only);
            done = true;
            return found;
        } catch (IOException | UncheckedIOException e) {
            if (!process.isAlive()) {
                throw new GuestException(ErrorCode.GUEST_MISMATCH, "process " + process.pid()
                        + " has ended", "");
            }
            throw new GuestException(ErrorCode.HOST_FAILED, "process " + process.pid()
                    + " may not be looked at: " + e.getMessage(),
                    "run as root, or as its user with CAP_SYS_PTRACE");
        } finally {
            if (!done) {
                found.close();
            }
        }
    }

    private void look(String only) throws IOException {
        whose();
        memory(only);
        devices();
        descriptors();
        if (!mappings.parts().isEmpty()) {
            writers();
        }
        host();
        freezer = Freezer.choose(process);
        pause();
    }

    /** No second target may run what a first one may run; no move lets go what was kept. */
    private void pause() throws IOException {
        Optional<Path> held = GroupFreezer.frozenByMove(process);
        if (held.isPresent()) {
            refuse("pause", "another move holds it frozen by " + held.get(),
                    "that one is under way, in doubt, or has moved it and kept it so",
                    "look at pageferry status, and wait for it or settle it; only what no target"
                    + " runs may be let go by hand");
        } else {
            ok("pause", freezer.how());
        }
    }

    /** What would freeze this command too, or its waiting parent for ever, is refused. */
    private void whose() throws IOException {
        long self = ProcessHandle.current().pid();
        Set<Long> everybody = process.withDescendants();
        if (everybody.contains(self)) {
            refuse("process", process.pid() == self ? "it is this command itself"
                    : "this command runs inside it (pid " + self + ")",
                    "it would freeze whoever is to let it go",
                    "start pageferry from somewhere else");
            return;
        }
        ok("process", process.command() + " (pid " + process.pid() + ")" + (everybody.size() == 1
                ? "" : " with " + (everybody.size() - 1) + " descendants, which are paused with"
                + " it by --tracker scan"));
    }

    private void memory(String only) throws IOException {
        mappings = SharedMappings.find(process.pid(), only);
        List<SharedMappings.Part> parts = mappings.parts();
        if (parts.isEmpty()) {
            refuse("memory", only == null ? "it has no shared mapping that it can write"
                    : "it has no shared mapping of " + only + " that it can write",
                    "private memory is known to the process alone",
                    only == null ? "give a process that keeps its data in shared memory"
                    : "look what it has: pageferry check process:" + process.pid());
        } else if (parts.size() > RegionTable.MAX_REGIONS) {
            refuse("memory", "it has " + parts.size() + " shared mappings", "more than "
                    + RegionTable.MAX_REGIONS + " regions cannot be moved",
                    "name the one that is meant: process:" + process.pid() + "?map=/path");
        } else {
            ok("memory", parts.stream().map(part -> part.name() + " "
                    + (part.size() >> 10) + " KiB").collect(Collectors.joining(", ")));
            readOnlyViews(parts);
        }
    }

    /** What is mapped for reading only may be made writable and back between two looks. */
    private void readOnlyViews(List<SharedMappings.Part> parts) {
        parts.stream().filter(part -> !part.views().stream()
                .allMatch(SharedMappings.View::isWritable)).findFirst().ifPresent(part ->
                scanOnly("memory", "a part of " + part.name() + " is mapped for reading only",
                        "what becomes writable later is not tracked", SCAN));
    }

    private void devices() throws IOException {
        Set<String> found = ProcessMaps.of(process.pid()).stream()
                .filter(one -> one.permissions().charAt(3) == 's' && !SharedMappings.isFile(one))
                .map(ProcessMaps.Mapping::path).collect(Collectors.toCollection(TreeSet::new));
        for (String one : found) {
            refuse("devices", "it has mapped " + one, "a device or the kernel writes to its memory"
                    + " also while it stands still, and what is behind the mapping stays here",
                    "have it close that, or move another process");
        }
        if (found.isEmpty()) {
            ok("devices", "it has mapped none");
        }
    }

    /**
     * Looks once more, at a process that stands still, for what it has mapped and opened.
     *
     * @param compared whether writes by descriptors were looked for from the beginning
     * @throws GuestException when there is something by which its memory may have been changed
     *                        unseen
     */
    static void requireSameFiles(PausedProcess process, SharedMappings mappings,
            boolean compared) throws IOException {
        Inspection again = new Inspection(process);
        again.mappings = mappings; // borrowed: this one is not closed
        again.devices();
        again.descriptors();
        if (again.writtenBy != null && !compared) {
            again.scanOnly("files", "it opened its memory " + again.writtenBy + " for writing"
                    + " meanwhile", "the kernel tells nobody of a write(2) to a memfd",
                    "move it again: it is compared then");
        }
        again.require(process.tree());
    }

    private void descriptors() throws IOException {
        Set<String> told = new HashSet<>();
        Set<ProcessMaps.FileId> unnamed = mappings.writableUnnamed();
        for (long pid : process.tree() ? process.members() : Set.of(process.pid())) {
            Path folder = PausedProcess.proc(pid);
            try (Stream<Path> all = Files.list(folder.resolve("fd"))) {
                for (Path one : (Iterable<Path>) all::iterator) {
                    descriptor(one, folder.resolve("fdinfo").resolve(one.getFileName()), told,
                            unnamed);
                }
            } catch (IOException | UncheckedIOException e) {
                // A descendant may end meanwhile.
                if (pid == process.pid() || Processes.isAlive(pid)) {
                    throw e;
                }
            }
        }
        if (writtenBy != null) {
            ok("files", "its memory " + writtenBy + " is open for writing: the kernel tells nobody"
                    + " of a write(2) to a memfd, so userfaultfd also compares all of it, in the"
                    + " pause too; F_SEAL_FUTURE_WRITE spares that");
        } else if (told.isEmpty()) {
            ok("files", "none through which its memory would be written untracked, as far as"
                    + " its descriptors tell");
        }
    }

    private void descriptor(Path link, Path info, Set<String> told,
            Set<ProcessMaps.FileId> unnamed) throws IOException {
        String target;
        boolean direct;
        boolean writes;
        try {
            target = Files.readSymbolicLink(link).toString();
            long flags = target.startsWith("/") ? ProcessMaps.openFlags(Files.readString(info))
                    : 0;
            direct = (flags & ProcessMaps.O_DIRECT) != 0;
            writes = (flags & ProcessMaps.O_ACCMODE) != 0 && SharedMemory.isUnnamed(target)
                    && unnamed.contains(ProcessMaps.fileId(link));
        } catch (IOException e) {
            if (Files.exists(link, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
                throw e;
            }
            return;
        }
        boolean device = target.startsWith("/dev/vfio/") || target.startsWith("/dev/infiniband/")
                || target.startsWith("/dev/vhost-") || target.equals("anon_inode:[io_uring]");
        if (device && told.add(target)) {
            refuse("files", "it has " + target + " open", "what is under way there arrives in its"
                    + " memory also while it stands still", "have it close that");
        } else if (direct && told.add(target)) {
            scanOnly("files", "it opened " + target + " with O_DIRECT",
                    "what it reads reaches its memory untracked", SCAN);
        } else if (writes) {
            writtenBy = target;
        }
    }

    private void writers() throws IOException {
        Set<Long> others = mappings.otherWriters(Set.of(process.pid()));
        Set<Long> strangers = new TreeSet<>(others);
        strangers.removeAll(process.withDescendants());
        if (!strangers.isEmpty()) {
            refuse("writers", "process " + list(strangers) + " writes to its memory too",
                    "it is no descendant, and would write on while this one stands still",
                    "end it, name one whose memory nobody else writes by ?map=/path, or name the"
                    + " process from which all of them descend");
        } else if (!others.isEmpty()) {
            scanOnly("writers", "its descendants " + list(others) + " write to its memory too",
                    "the writes of one process only are tracked", SCAN
                    + ", which pauses all of them");
        } else {
            ok("writers", "nobody else has its memory mapped for writing");
        }
    }

    private static String list(Set<Long> pids) {
        return pids.stream().sorted().limit(5).map(String::valueOf)
                .collect(Collectors.joining(", ")) + (pids.size() > 5 ? " and "
                + (pids.size() - 5) + " more" : "");
    }

    private void host() {
        List<KernelProbe.Step> steps = KernelProbe.run();
        if (!KernelProbe.canTrackOthers(steps)) {
            scanOnly("host", KernelProbe.summary(steps),
                    "this host cannot track the writes of another process",
                    "run as root on Linux 6.7 or newer, or " + SCAN);
            return;
        }
        try {
            RemoteUserfault.requirePossible(process.pid());
            if (!KernelProbe.mayTraceAll()) {
                scanOnly("host", "this command has no CAP_SYS_PTRACE",
                        "it would not hear of a fork, whose child writes untracked",
                        "run as root, or " + SCAN);
                return;
            }
            ok("host", KernelProbe.summary(steps));
        } catch (IOException e) {
            scanOnly("host", e.getMessage(), "its writes cannot be tracked", SCAN);
        }
    }

    private void ok(String what, String found) {
        rows.add(new Finding(what, Verdict.OK, found, "", ""));
    }

    private void scanOnly(String what, String found, String why, String remedy) {
        rows.add(new Finding(what, Verdict.SCAN_ONLY, found, why, remedy));
    }

    private void refuse(String what, String found, String why, String remedy) {
        rows.add(new Finding(what, Verdict.REFUSED, found, why, remedy));
    }

    /** What was found, in a fixed order. */
    List<Finding> rows() {
        return List.copyOf(rows);
    }

    /** Refuses what cannot be moved so: by the first row with that verdict. */
    void require(boolean scan) throws GuestException {
        for (Finding row : rows) {
            if (row.verdict() == Verdict.REFUSED
                    || row.verdict() == Verdict.SCAN_ONLY && !scan) {
                throw new GuestException(ErrorCode.GUEST_MISMATCH, "process " + process.pid()
                        + ": " + row.found() + ": " + row.why(), row.remedy());
            }
        }
    }

    /** Whether its memory may be written by a descriptor without anybody hearing of it. */
    boolean isWrittenByDescriptor() {
        return writtenBy != null;
    }

    /** The memory; the caller's from now on. */
    SharedMappings takeMappings() {
        SharedMappings taken = mappings;
        mappings = null;
        return taken;
    }

    Freezer freezer() {
        return freezer;
    }

    @Override
    public void close() {
        if (mappings != null) {
            mappings.close();
        }
    }
}
