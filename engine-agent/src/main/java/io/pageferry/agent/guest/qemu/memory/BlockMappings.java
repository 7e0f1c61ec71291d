package io.pageferry.agent.guest.qemu.memory;

import io.pageferry.agent.host.linux.ProcessMaps;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Mappings of a process that look like private blocks of memory of QEMU's: each is a mapping of its
 * own, begins at a multiple of 2 MiB and has a page behind it that cannot be reached
 * (util/mmap-alloc.c).
 */
public final class BlockMappings {
    private static final long ALIGNMENT = 2 << 20;

    private BlockMappings() {
    }

    /**
     * Finds them.
     *
     * @param pid of a QEMU
     * @return where they begin, by their size; the caller's
     * @throws IOException when it cannot be looked at
     */
    public static Map<Long, List<Long>> of(long pid) throws IOException {
        Map<Long, List<Long>> places = new TreeMap<>();
        List<ProcessMaps.Mapping> all = ProcessMaps.of(pid);
        for (int i = 0; i + 1 < all.size(); i++) {
            ProcessMaps.Mapping one = all.get(i);
            if (one.permissions().equals("rw-p") && one.path().isEmpty()
                    && one.start() % ALIGNMENT == 0 && isGuard(all.get(i + 1), one.end())) {
                places.computeIfAbsent(one.length(), any -> new ArrayList<>()).add(one.start());
            }
        }
        return places;
    }

    private static boolean isGuard(ProcessMaps.Mapping one, long address) {
        return one.start() == address && one.permissions().startsWith("---");
    }
}
