package io.pageferry.agent.guest.qemu.memory;

import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.host.linux.ProcessMaps;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The memory of one backend.
 *
 * @param backend what QEMU reports of it
 * @param mapping where QEMU maps it, and perhaps more
 * @param skip    bytes of the mapping before it
 * @param guest   address that the guest sees, or -1 where QEMU does not show it
 * @param file    to be opened; empty for memory that has none
 */
record MemoryPart(QemuFacts.Backend backend, ProcessMaps.Mapping mapping, long skip,
        long guest, Optional<Path> file) {
    boolean isShared() {
        return mapping.writesToFile();
    }

    long start() {
        return mapping.start() + skip;
    }

    long offset() {
        return mapping.offset() + skip;
    }

    /** Whether a mapping shows each address what was found there; nothing else is shared. */
    private boolean begins(ProcessMaps.Mapping one) {
        return mapping.file().inode() == 0
                || one.offset() - one.start() == mapping.offset() - mapping.start();
    }

    /** Whether it is mapped where it was; QEMU may have split the mapping (madvise). */
    boolean isCoveredBy(List<ProcessMaps.Mapping> all) {
        long reached = start();
        for (ProcessMaps.Mapping one : all) {
            if (one.permissions().equals(mapping.permissions())
                    && one.file().equals(mapping.file()) && begins(one)
                    && one.start() <= reached && reached < one.end()) {
                reached = one.end();
            }
        }
        return reached - start() >= backend.size();
    }

    /** Whether it is another mapping of the same part of the file, open for writing. */
    boolean isWrittenBy(ProcessMaps.Mapping other) {
        return !(begins(other) && other.start() < start() + backend.size()
                && start() < other.end()) && other.writesToFile()
                && other.offset() < offset() + backend.size()
                && offset() < other.offset() + other.length();
    }

    boolean overlaps(MemoryPart other) {
        return isShared() && mapping.file().equals(other.mapping.file())
                && offset() < other.offset() + other.backend.size()
                && other.offset() < offset() + backend.size();
    }
}
