package io.pageferry.agent.guest.qemu.memory;

import io.pageferry.agent.guest.qemu.check.Objection;
import io.pageferry.agent.guest.qemu.check.OpenDescriptors;
import io.pageferry.agent.guest.qemu.check.VhostUserDevices;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.UnixPeer;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.agent.host.linux.userfault.UserfaultTracker.Range;
import io.pageferry.core.memory.PageGeometry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The processes that write a QEMU's RAM beside it, at one moment.
 *
 * <p>A process is tracked too where it is proven to work for a vhost-user device of this QEMU: it
 * holds the other end of a connection of QEMU's over which such a device may work. QEMU stops that
 * process with the guest. Whoever else maps the RAM for writing may write in the pause, behind the
 * last look at its pages, and is refused: tracking it would not be enough.
 */
final class RamWriters {
    /**
     * One process that is tracked too.
     *
     * @param pid        its number
     * @param startTicks when it started
     * @param who        its name in sentences
     * @param ranges     where it maps the RAM for writing, ascending by address within a file
     */
    record Backend(long pid, long startTicks, String who, List<Range> ranges) {
        boolean isSameProcess(Backend other) {
            return pid == other.pid && startTicks == other.startTicks;
        }
    }

    private final List<Backend> backends = new ArrayList<>();
    private final List<Objection> objections = new ArrayList<>();

    private RamWriters() {
    }

    /**
     * Looks for them.
     *
     * @param pid     QEMU's
     * @param parts   its RAM
     * @param devices those of its devices that other processes work for
     * @return what is there now
     */
    static RamWriters of(long pid, List<MemoryPart> parts, VhostUserDevices devices) {
        RamWriters writers = new RamWriters();
        List<MemoryPart> shared = parts.stream().filter(MemoryPart::isShared).toList();
        if (shared.isEmpty()) {
            return writers;
        }
        try {
            writers.qemuItself(pid, shared);
            Set<Long> partners = devices.isEmpty() ? Set.of() : partners(pid, devices);
            Set<ProcessMaps.FileId> files = new HashSet<>();
            shared.forEach(part -> files.add(part.mapping().file()));
            for (long other : ProcessMaps.otherWriters(files,
                    List.of(pid, ProcessHandle.current().pid()))) {
                writers.judgeUnlessGone(other, parts, partners);
            }
        } catch (IOException e) {
            writers.objections.add(Objection.tracking("/proc cannot be read: " + e.getMessage(),
                    "whether another process writes to the guest's RAM cannot be seen",
                    "run as root"));
        }
        return writers;
    }

    private void qemuItself(long pid, List<MemoryPart> shared) throws IOException {
        for (MemoryPart part : shared) {
            if (ProcessMaps.ofFile(pid, part.mapping().file()).stream()
                    .anyMatch(part::isWrittenBy)) {
                objections.add(Objection.tracking("QEMU (pid " + pid + ") has the guest's RAM '"
                        + part.backend().id() + "' mapped for writing twice",
                        "the writes through one mapping only are tracked",
                        "use --tracker scan"));
            }
        }
    }

    /** Inodes of the ends that those hold who may work for a device. */
    private static Set<Long> partners(long pid, VhostUserDevices devices) throws IOException {
        Set<Long> partners = new HashSet<>();
        for (UnixPeer.Connection one : UnixPeer.connections(pid)) {
            if (devices.mayWorkOver(one.name())) {
                partners.add(one.peer());
            }
        }
        return partners;
    }

    /**
     * Looks whether everybody who may work for a device is a process that can be seen: one in
     * another PID namespace would write unseen.
     *
     * @param pid     QEMU's
     * @param devices those of its devices that other processes work for
     * @return why not, nothing where it is so
     */
    static List<Objection> unseen(long pid, VhostUserDevices devices) {
        if (devices.isEmpty()) {
            return List.of();
        }
        String why;
        try {
            Set<Long> partners = partners(pid, devices);
            ProcessHandle.allProcesses().forEach(one -> partners.removeAll(socketsOf(one.pid())));
            if (partners.isEmpty()) {
                return List.of();
            }
            why = "who holds the other end of socket " + partners.iterator().next();
        } catch (IOException e) {
            why = e.getMessage();
        }
        return List.of(Objection.tracking("who works for the vhost-user devices of QEMU (pid "
                + pid + ") cannot be seen: " + why, "it writes to the guest's RAM",
                "run as root in the PID namespace of that process, or use --tracker scan"));
    }

    private static Set<Long> socketsOf(long pid) {
        try {
            return UnixPeer.sockets(pid);
        } catch (IOException e) {
            return Set.of(); // ended, or not ours to look at
        }
    }

    private void judgeUnlessGone(long pid, List<MemoryPart> parts, Set<Long> partners)
            throws IOException {
        try {
            judge(pid, parts, partners);
        } catch (IOException e) {
            if (Processes.isAlive(pid)) {
                throw e;
            }
        }
    }

    private void judge(long pid, List<MemoryPart> parts, Set<Long> partners) throws IOException {
        String name = Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "exe"))
                .getFileName().toString();
        if (UnixPeer.sockets(pid).stream().noneMatch(partners::contains)) {
            objections.add(Objection.tracking("the guest's RAM is also mapped for writing by"
                    + " process " + pid + " (" + name + "), which is no vhost-user backend of this"
                    + " QEMU", "nothing stops it when the guest is paused",
                    "end that process, or use --tracker scan"));
            return;
        }
        String who = "vhost-user backend " + pid + " (" + name + ")";
        objections.addAll(OpenDescriptors.ofBackend(pid, who));
        try {
            RemoteUserfault.requirePossible(pid);
            if (!KernelProbe.mayTraceAll()) {
                throw new IOException("a fork of " + who + " would not be heard of");
            }
        } catch (IOException e) {
            objections.add(Objection.tracking(e.getMessage(), "it writes to the guest's RAM",
                    "run as root, or use --tracker scan"));
        }
        backends.add(new Backend(pid, Processes.startTicks(pid).orElse(-1), who,
                ranges(pid, parts)));
    }

    /** Where a process maps the RAM for writing; the pages' numbers are those of the guest. */
    static List<Range> ranges(long pid, List<MemoryPart> parts) throws IOException {
        List<Range> ranges = new ArrayList<>();
        List<ProcessMaps.Mapping> mappings = ProcessMaps.of(pid);
        long first = 0;
        for (MemoryPart part : parts) {
            for (ProcessMaps.Mapping one : mappings) {
                long from = Math.max(one.offset(), part.offset());
                long to = Math.min(one.offset() + one.length(),
                        part.offset() + part.backend().size());
                if (part.isShared() && one.writesToFile()
                        && one.file().equals(part.mapping().file()) && from < to) {
                    ranges.add(new Range(one.start() + from - one.offset(), to - from,
                            first + (from - part.offset()) / PageGeometry.PAGE_SIZE));
                }
            }
            first += PageGeometry.pagesFor(part.backend().size());
        }
        return ranges;
    }

    /** {@return those that are to be tracked beside QEMU} */
    List<Backend> backends() {
        return backends;
    }

    /** {@return why the writes of all of them cannot be tracked, nothing where they can} */
    List<Objection> objections() {
        return objections;
    }
}
