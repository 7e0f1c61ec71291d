package io.pageferry.agent.guest.image;

import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The files of one image, and the image as a guard finds it. */
record MemoryImageFiles(Path file) implements GuestHandle {
    /** Key of {@code recoveryAddress}: the image's path. */
    static final String REACH = "image";

    static Path state(Path file) {
        return file.resolveSibling(file.getFileName() + ".state");
    }

    static Path table(Path file) {
        return file.resolveSibling(file.getFileName() + ".table");
    }

    /** Maps its regions, which lie end to end. */
    static MappedRegions map(Path file, RegionTable table, boolean writable)
            throws IOException {
        List<MappedRegions.Part> parts = new ArrayList<>();
        long offset = 0;
        for (Region region : table.regions()) {
            parts.add(new MappedRegions.Part(writable ? SharedMemory.openReadWrite(file)
                    : SharedMemory.openReadOnly(file), offset));
            offset += region.size();
        }
        return new MappedRegions(table, parts);
    }

    /** Deletes an image and what stands beside it; returns what could not be deleted, or null. */
    static IOException delete(Path file) {
        IOException left = null;
        for (Path path : List.of(file, state(file), table(file))) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                left = e;
            }
        }
        return left;
    }

    /** Says that the file is no image, or none yet. */
    static void deleteTable(Path file) throws IOException {
        Files.deleteIfExists(table(file));
        Files.deleteIfExists(state(file));
    }

    @Override
    public Condition condition() {
        return Files.exists(file) ? Condition.PAUSED : Condition.GONE;
    }

    @Override
    public void resume() {
        // An image does not run.
    }

    @Override
    public void end() throws GuestException {
        forget();
    }

    @Override
    public void forget() throws GuestException {
        IOException left = delete(file);
        if (left != null) {
            throw new GuestException(ErrorCode.HOST_FAILED,
                    "cannot delete the image: " + left.getMessage(), "delete " + file);
        }
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
