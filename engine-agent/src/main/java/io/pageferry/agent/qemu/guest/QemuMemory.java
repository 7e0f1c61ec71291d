package io.pageferry.agent.qemu.guest;

import io.pageferry.agent.guest.MappedRegions;
import io.pageferry.agent.linux.LinuxException;
import io.pageferry.agent.linux.ProcessMaps;
import io.pageferry.agent.linux.SharedMemory;
import io.pageferry.agent.linux.UserfaultTracker;
import io.pageferry.agent.qemu.QemuFacts;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The RAM of a QEMU process, reached through its own descriptors: the same way for a file that has
 * a name, one that was unlinked, and a memfd. Each memory backend is one region, named by its id.
 */
final class QemuMemory {
    private final long pid;
    private final List<QemuFacts.Backend> backends;
    private final List<ProcessMaps.Mapping> mappings = new ArrayList<>();
    private final List<Path> files = new ArrayList<>();

    private QemuMemory(long pid, List<QemuFacts.Backend> backends) {
        this.pid = pid;
        this.backends = backends;
    }

    /**
     * Finds where a process maps each backend.
     *
     * @throws GuestException when a backend cannot be told from others, or not be found
     */
    static QemuMemory find(long pid, List<QemuFacts.Backend> backends) throws GuestException {
        QemuMemory memory = new QemuMemory(pid, backends);
        try {
            List<ProcessMaps.Mapping> left = new ArrayList<>(ProcessMaps.of(pid).stream()
                    .filter(ProcessMaps.Mapping::writesToFile)
                    .sorted(Comparator.comparingLong(ProcessMaps.Mapping::start)).toList());
            for (QemuFacts.Backend backend : backends) {
                ProcessMaps.Mapping found = memory.mappingOf(backend, left);
                left.remove(found);
                memory.mappings.add(found);
                memory.files.add(memory.descriptorOf(backend, found));
            }
            return memory;
        } catch (IOException unreadable) {
            throw failed("cannot look into QEMU (pid " + pid + "): " + unreadable.getMessage(),
                    "run as root or as QEMU's user with CAP_SYS_PTRACE");
        }
    }

    /** Maps the RAM: read-only for a source, writable for a target. */
    MappedRegions map(boolean writable) throws GuestException {
        List<Region> regions = new ArrayList<>();
        List<MappedRegions.Part> parts = new ArrayList<>();
        try {
            for (int i = 0; i < backends.size(); i++) {
                SharedMemory file = writable
                        ? SharedMemory.openReadWrite(files.get(i))
                        : SharedMemory.openReadOnly(files.get(i));
                parts.add(new MappedRegions.Part(file, mappings.get(i).offset()));
                QemuFacts.Backend backend = backends.get(i);
                regions.add(new Region(i, backend.id(), 0, backend.size(), file.granule()));
            }
            return new MappedRegions(new RegionTable(regions), parts);
        } catch (IOException | IllegalArgumentException refused) {
            parts.forEach(part -> part.file().close());
            throw failed("cannot map the RAM of QEMU (pid " + pid + "): " + refused.getMessage(),
                    "run as root or as QEMU's user");
        }
    }

    /** Where the process itself maps the RAM: what a tracker has to watch. */
    List<UserfaultTracker.Range> ranges() {
        List<UserfaultTracker.Range> ranges = new ArrayList<>();
        long page = 0;
        for (int i = 0; i < backends.size(); i++) {
            ranges.add(new UserfaultTracker.Range(mappings.get(i).start(),
                    backends.get(i).size(), page));
            page += PageGeometry.pagesFor(backends.get(i).size());
        }
        return ranges;
    }

    /** Refuses RAM that a process other than QEMU and this one writes: nobody would see that. */
    void requireOneWriter() throws GuestException {
        for (int i = 0; i < backends.size(); i++) {
            try {
                List<Long> others = ProcessMaps.otherWriters(mappings.get(i).file(),
                        List.of(pid, ProcessHandle.current().pid()));
                if (!others.isEmpty()) {
                    throw new GuestException(ErrorCode.GUEST_MISMATCH, "the guest's RAM '"
                            + backends.get(i).id() + "' is also mapped for writing by process "
                            + others.getFirst() + ", whose writes cannot be tracked",
                            "end that process (vhost-user back-ends write so)");
                }
            } catch (LinuxException unreadable) {
                throw failed(unreadable.getMessage(), "run as root");
            } catch (IOException unreadable) {
                if (unreadable instanceof GuestException known) {
                    throw known;
                }
                throw failed(unreadable.getMessage(), "run as root");
            }
        }
    }

    private ProcessMaps.Mapping mappingOf(QemuFacts.Backend backend,
            List<ProcessMaps.Mapping> mappings) throws GuestException {
        for (ProcessMaps.Mapping mapping : mappings) {
            boolean named = !backend.path().isEmpty() && mapping.path().startsWith(backend.path());
            boolean anonymous = backend.path().isEmpty()
                    && mapping.path().contains("memory-backend-memfd");
            if (mapping.length() >= backend.size() && (named || anonymous)) {
                return mapping;
            }
        }
        throw failed("the RAM '" + backend.id() + "' is not among the mappings of QEMU (pid "
                + pid + ")", "use memory-backend-file or memory-backend-memfd with share=on");
    }

    private Path descriptorOf(QemuFacts.Backend backend, ProcessMaps.Mapping mapping)
            throws IOException {
        for (ProcessMaps.OpenFile open : ProcessMaps.openFiles(pid)) {
            if (open.file().equals(mapping.file())) {
                return Path.of("/proc", Long.toString(pid), "fd", Integer.toString(open.fd()));
            }
        }
        throw failed("QEMU holds no descriptor of its RAM '" + backend.id() + "'",
                "use memory-backend-file or memory-backend-memfd with share=on");
    }

    private static GuestException failed(String what, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, what, remedy);
    }
}
