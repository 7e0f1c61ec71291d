package io.pageferry.agent.guest.qemu.memory;

import io.pageferry.agent.guest.qemu.check.Objection;
import io.pageferry.agent.guest.qemu.check.OpenDescriptors;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.VhostUserDevices;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.userfault.UserfaultTracker;
import io.pageferry.agent.host.memory.HostFiles;
import io.pageferry.agent.host.memory.ProcessRegions;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.agent.host.memory.RegionMemory;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The RAM of a QEMU process. Each memory backend is one region, named by its id. Shared memory is
 * reached through QEMU's own descriptors: the same way for a file that has a name, one that was
 * unlinked, and a memfd. Where one backend is private, all are reached by their addresses in QEMU.
 * QEMU itself names the mapping of each; where it does not, a mapping is taken only if no other
 * could be meant.
 */
public final class QemuMemory {
    static final String GUEST_ADDRESS = "ram.at.";
    private static final String BACKENDS =
            "use memory-backend-file or memory-backend-memfd with share=on";
    private static final String PRIVATE = "rw-p";

    private final long pid;
    private final List<MemoryPart> parts;

    private QemuMemory(long pid, List<MemoryPart> parts) {
        this.pid = pid;
        this.parts = parts;
    }

    /**
     * Finds where a process maps each backend.
     *
     * @param pid      the process
     * @param qemu     its monitor; nothing is changed by it
     * @param backends in the order of the regions to be
     * @return the memory
     * @throws GuestException when a backend cannot be distinguished, or not be found
     * @throws QmpException   when the monitor is gone
     */
    public static QemuMemory find(long pid, QemuControl qemu, List<QemuFacts.Backend> backends)
            throws GuestException, QmpException {
        return find(pid, BackendPlaces.of(qemu, backends), backends);
    }

    static QemuMemory find(long pid, Map<String, BackendPlaces.Place> places,
            List<QemuFacts.Backend> backends) throws GuestException {
        List<MemoryPart> parts = new ArrayList<>();
        try {
            List<ProcessMaps.Mapping> mappings = ProcessMaps.of(pid).stream().filter(one ->
                    one.writesToFile() || one.permissions().equals(PRIVATE)).toList();
            List<ProcessMaps.OpenFile> open = ProcessMaps.openFiles(pid);
            for (QemuFacts.Backend backend : backends) {
                BackendPlaces.Place place = places.get(backend.id());
                ProcessMaps.Mapping mapping = (place == null ? byName(backend, mappings)
                        : at(place.host(), mappings))
                        .orElseThrow(() -> missing(pid, backend));
                long skip = place == null ? 0 : place.host() - mapping.start();
                MemoryPart part = new MemoryPart(backend, mapping, skip,
                        place == null ? -1 : place.guest(),
                        descriptorOf(pid, backend, mapping, open));
                if (!part.isCoveredBy(mappings)) {
                    throw missing(pid, backend);
                }
                parts.add(part);
            }
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw failed("cannot look into QEMU (pid " + pid + "): " + e.getMessage(),
                    "run as root or as QEMU's user with CAP_SYS_PTRACE");
        }
        requireApart(parts);
        return new QemuMemory(pid, List.copyOf(parts));
    }

    private static Optional<ProcessMaps.Mapping> at(long address,
            List<ProcessMaps.Mapping> mappings) {
        return mappings.stream().filter(one -> one.start() <= address && address < one.end())
                .findFirst();
    }

    /** The mapping of that name, where there is exactly one. */
    private static Optional<ProcessMaps.Mapping> byName(QemuFacts.Backend backend,
            List<ProcessMaps.Mapping> mappings) throws GuestException {
        List<ProcessMaps.Mapping> found = mappings.stream()
                .filter(one -> one.writesToFile() && one.length() >= backend.size()
                        && isNamed(backend, one.path()))
                .toList();
        if (found.size() > 1) {
            throw failed("QEMU has " + found.size() + " mappings that may be the RAM '"
                    + backend.id() + "'",
                    "give each memory-backend-file a mem-path of its own, a file's");
        }
        return found.stream().findFirst();
    }

    /** A folder as mem-path holds an unlinked file that QEMU named by the backend's id. */
    private static boolean isNamed(QemuFacts.Backend backend, String path) {
        String file = path.replaceFirst(" \\(deleted\\)$", "");
        return backend.path().isEmpty() ? file.equals("/memfd:memory-backend-memfd")
                : file.equals(backend.path()) || file.startsWith(backend.path()
                        + "/qemu_back_mem." + backend.id() + ".");
    }

    private static void requireApart(List<MemoryPart> parts) throws GuestException {
        for (int i = 1; i < parts.size(); i++) {
            for (MemoryPart other : parts.subList(0, i)) {
                if (parts.get(i).overlaps(other)) {
                    throw failed("the RAM '" + parts.get(i).backend().id() + "' and '"
                            + other.backend().id() + "' are in the same part of one file",
                            "give each memory-backend-file a mem-path of its own");
                }
            }
        }
    }

    /**
     * Opens the RAM: read-only for a source, writable for a target.
     *
     * @param writable for a target
     * @return the regions, the caller's to close
     * @throws GuestException when that is refused
     */
    public RegionMemory map(boolean writable) throws GuestException {
        List<Region> regions = new ArrayList<>();
        List<Optional<SharedMemory>> files = new ArrayList<>();
        try {
            for (MemoryPart part : parts) {
                Optional<SharedMemory> file = open(part, writable);
                files.add(file);
                regions.add(new Region(regions.size(), part.backend().id(), 0,
                        part.backend().size(), file.map(SharedMemory::granule)
                                .orElse((int) part.backend().pageSize())));
            }
            return map(new RegionTable(regions), files, writable);
        } catch (IOException | IllegalArgumentException e) {
            files.forEach(file -> file.ifPresent(SharedMemory::close));
            throw failed("cannot map the RAM of QEMU (pid " + pid + "): " + e.getMessage(),
                    "run as root or as QEMU's user");
        }
    }

    private static Optional<SharedMemory> open(MemoryPart part, boolean writable)
            throws IOException {
        return part.file().isEmpty() ? Optional.empty()
                : Optional.of(writable && part.isShared()
                ? SharedMemory.openReadWrite(part.file().get())
                : SharedMemory.openReadOnly(part.file().get()));
    }

    private RegionMemory map(RegionTable table, List<Optional<SharedMemory>> files,
            boolean writable) throws LinuxException {
        if (parts.stream().allMatch(MemoryPart::isShared)) {
            List<RegionFiles.Part> mapped = new ArrayList<>();
            for (int i = 0; i < parts.size(); i++) {
                mapped.add(new RegionFiles.Part(files.get(i).orElseThrow(),
                        parts.get(i).offset()));
            }
            return RegionFiles.open(table, mapped, writable);
        }
        List<ProcessRegions.Part> reached = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            MemoryPart part = parts.get(i);
            reached.add(new ProcessRegions.Part(part.start(), part.isShared(), files.get(i),
                    part.offset()));
        }
        return ProcessRegions.open(pid, table, reached, writable);
    }

    /** {@return the addresses in QEMU at which the backends begin} */
    public List<Long> starts() {
        return parts.stream().map(MemoryPart::start).toList();
    }

    /**
     * Returns where the process itself maps the RAM: what a tracker has to watch.
     *
     * @return one range for each region
     */
    public List<UserfaultTracker.Range> ranges() {
        List<UserfaultTracker.Range> ranges = new ArrayList<>();
        long page = 0;
        for (MemoryPart part : parts) {
            ranges.add(new UserfaultTracker.Range(part.start(), part.backend().size(), page));
            page += PageGeometry.pagesFor(part.backend().size());
        }
        return ranges;
    }

    /**
     * Looks for what else writes to the RAM: processes other than QEMU and this one, or QEMU itself
     * through a second mapping.
     *
     * @param devices those of its devices that other processes work for
     * @return those that can be tracked too, and what stands in the way
     */
    public TrackedBackends backends(VhostUserDevices devices) {
        return TrackedBackends.of(pid, parts, devices);
    }

    /**
     * Checks, of a guest that stands still, that its RAM is mapped where it was and nowhere else,
     * and that nothing was opened by which it would be written unseen.
     *
     * @param drives   whose O_DIRECT is known
     * @param tracking how its writes were tracked
     * @throws GuestException when it is not as it was
     */
    public void requireUnchanged(List<QemuFacts.Drive> drives, MemoryTracking tracking)
            throws GuestException {
        try {
            Optional<String> change = change();
            if (change.isPresent()) {
                throw mismatch(change.get() + " while the guest moved", "move it again");
            }
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, "QEMU (pid " + pid
                    + ") cannot be looked at: " + e.getMessage(), "");
        }
        List<Objection> found = new ArrayList<>(OpenDescriptors.of(pid)
                .objections(tracking.drained().isPresent(), drives));
        found.addAll(tracking.backends().changes());
        Objection.refuse(found, tracking.tracker().comparesContents());
    }

    private Optional<String> change() throws IOException {
        List<ProcessMaps.Mapping> now = ProcessMaps.of(pid);
        for (MemoryPart part : parts) {
            if (!part.isCoveredBy(now)) {
                return Optional.of("QEMU (pid " + pid + ") has the RAM '" + part.backend().id()
                        + "' no longer mapped where it was");
            }
            if (part.file().isPresent() && part.isShared()
                    && Files.size(part.file().get()) < part.offset() + part.backend().size()) {
                return Optional.of("the file of the RAM '" + part.backend().id()
                        + "' was cut short");
            }
        }
        return Optional.empty();
    }

    /**
     * Returns what the other side compares with its own: which files hold the RAM, and where the
     * guest sees it.
     *
     * @return attributes by name
     */
    public Map<String, String> attributes() {
        Map<String, String> attributes = new TreeMap<>();
        for (MemoryPart part : parts) {
            if (part.isShared()) {
                HostFiles.put(attributes, part.backend().id(), part.mapping().file());
            }
            if (part.guest() >= 0) {
                attributes.put(GUEST_ADDRESS + part.backend().id(),
                        "0x" + Long.toHexString(part.guest()));
            }
        }
        return attributes;
    }

    /**
     * Refuses a source whose RAM is in this target's own files, or is seen elsewhere by its guest.
     *
     * @param theirs the source's attributes; nothing in it is trusted
     * @throws GuestException when that is so
     */
    public void requireFits(Map<String, String> theirs) throws GuestException {
        Map<String, String> ours = attributes();
        String shared = HostFiles.shared(ours, theirs);
        if (shared != null) {
            throw mismatch("source and target have their RAM '" + shared + "' in the same file",
                    "give the target a mem-path of its own");
        }
        for (MemoryPart part : parts) {
            String key = GUEST_ADDRESS + part.backend().id();
            String here = ours.get(key);
            String there = theirs.get(key);
            if (here != null && there != null && !here.equals(there)) {
                throw mismatch("the guest sees its RAM '" + part.backend().id() + "' at " + there
                        + " at the source and at " + here + " at the target",
                        "start the target with the source's -numa node,memdev= and -device"
                        + " pc-dimm,memdev= in the same order");
            }
        }
    }

    /**
     * Refuses a guest for whose data there is no room: it would be a dead QEMU in the middle of
     * the move. Huge pages were reserved when QEMU started.
     *
     * @param room      promises it
     * @param dataBytes bytes that are not holes at the source
     * @param here      the regions of this target, some of which may be filled already
     * @throws GuestException {@link ErrorCode#NO_ROOM}
     */
    public void requireRoom(RoomClaim room, long dataBytes, RegionMemory here)
            throws GuestException {
        new TargetRoom(pid, parts.stream().map(MemoryPart::backend).toList())
                .require(room, dataBytes - here.dataBytes());
    }

    private static Optional<Path> descriptorOf(long pid, QemuFacts.Backend backend,
            ProcessMaps.Mapping mapping, List<ProcessMaps.OpenFile> open) throws GuestException {
        if (mapping.file().inode() == 0) {
            return Optional.empty();
        }
        return Optional.of(open.stream().filter(one -> one.file().equals(mapping.file()))
                .findFirst().map(one -> Path.of("/proc", Long.toString(pid), "fd",
                        Integer.toString(one.fd())))
                .orElseThrow(() -> failed("QEMU holds no descriptor of its RAM '" + backend.id()
                        + "'", BACKENDS)));
    }

    private static GuestException missing(long pid, QemuFacts.Backend backend) {
        return failed("the RAM '" + backend.id() + "' is not among the mappings of QEMU (pid "
                + pid + ")", BACKENDS);
    }

    private static GuestException failed(String what, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, what, remedy);
    }

    private static GuestException mismatch(String what, String remedy) {
        return new GuestException(ErrorCode.GUEST_MISMATCH, what, remedy);
    }
}
