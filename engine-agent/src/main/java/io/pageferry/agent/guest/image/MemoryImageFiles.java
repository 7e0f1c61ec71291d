package io.pageferry.agent.guest.image;

import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The files of one image. */
final class MemoryImageFiles {
    private MemoryImageFiles() {
    }

    static Path state(Path file) {
        return file.resolveSibling(file.getFileName() + ".state");
    }

    static Path table(Path file) {
        return file.resolveSibling(file.getFileName() + ".table");
    }

    /** Opens its regions, which lie end to end. */
    static RegionFiles map(Path file, RegionTable table, boolean writable)
            throws IOException {
        List<RegionFiles.Part> parts = new ArrayList<>();
        long offset = 0;
        for (Region region : table.regions()) {
            parts.add(new RegionFiles.Part(writable ? SharedMemory.openReadWrite(file)
                    : SharedMemory.openReadOnly(file), offset));
            offset += region.size();
        }
        return RegionFiles.open(table, parts, writable);
    }

    /**
     * Deletes an image and what stands beside it; returns what could not be deleted, or null. The
     * table first, without which it is no image, and the file last: by it the rest is found.
     */
    static IOException delete(Path file) {
        IOException left = null;
        for (Path path : List.of(table(file), state(file), file)) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                left = e;
            }
        }
        return left;
    }

    /** Deletes the table and the state: the file is no image, or none yet. */
    static void deleteTable(Path file) throws IOException {
        Files.deleteIfExists(table(file));
        Files.deleteIfExists(state(file));
    }
}
