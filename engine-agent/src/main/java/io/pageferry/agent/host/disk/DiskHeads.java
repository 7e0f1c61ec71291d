package io.pageferry.agent.host.disk;

import io.pageferry.core.memory.PageGeometry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The first MiB of each disk that is being filled: kept here, and zeros on the disk until all else
 * is there and proved. So nothing boots from a disk that is half another one, whatever its old boot
 * sector and the new one say.
 */
final class DiskHeads {
    private static final int PAGE = PageGeometry.PAGE_SIZE;

    private final DiskSet disks;
    private final List<MemorySegment> heads = new ArrayList<>();
    private final MemorySegment readBack;

    DiskHeads(DiskSet disks, Arena arena) {
        this.disks = disks;
        for (Disk disk : disks.disks()) {
            heads.add(arena.allocate(disk.headBytes(), PAGE));
        }
        this.readBack = arena.allocate(Disk.RUN_BYTES, PAGE);
    }

    /** Returns how many of the pages from one on are kept here, 0 for none. */
    int kept(long page, long most) {
        int region = disks.regions().regionOf(page);
        long end = disks.regions().firstPage(region) + heads.get(region).byteSize() / PAGE;
        return (int) Math.clamp(end - page, 0, most);
    }

    void put(long page, int count, MemorySegment from, long at) {
        MemorySegment.copy(from, at, headOf(page), disks.offsetOf(page), (long) count * PAGE);
    }

    void clear(long page, int count) {
        headOf(page).asSlice(disks.offsetOf(page), (long) count * PAGE).fill((byte) 0);
    }

    void read(long page, int count, MemorySegment into, long at) {
        MemorySegment.copy(headOf(page), disks.offsetOf(page), into, at, (long) count * PAGE);
    }

    private MemorySegment headOf(long page) {
        return heads.get(disks.regions().regionOf(page));
    }

    /** Makes what is on the disks zero, durable on return. Waits. */
    void blank() throws IOException {
        for (Disk disk : disks.disks()) {
            disk.blankHead();
        }
    }

    /** Writes them behind all else, and looks at what the medium has of them then. Waits. */
    void complete() throws IOException {
        for (Disk disk : disks.disks()) {
            disk.sync();
        }
        for (int i = 0; i < heads.size(); i++) {
            Disk disk = disks.disks().get(i);
            MemorySegment head = heads.get(i);
            // What boots a machine begins in the first page: of half a first MiB none does.
            if (head.byteSize() > PAGE) {
                disk.write(PAGE, head, PAGE, head.byteSize() - PAGE);
            }
            disk.write(0, head, 0, PAGE);
            disk.sync();
            disk.read(0, readBack, 0, head.byteSize());
            long used = Math.min(head.byteSize(), disk.bytes());
            if (MemorySegment.mismatch(head, 0, used, readBack, 0, used) != -1) {
                throw new IOException(disk + " does not read back what was written to its first"
                        + " MiB");
            }
        }
    }
}
