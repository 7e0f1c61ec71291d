package io.pageferry.agent.guest.image;

import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.agent.report.Output;
import io.pageferry.core.image.MemoryReader;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Shows what an image holds, and whether it is as it was stored. */
public final class StoredImage {
    private static final int REFUSED = 3;
    private static final int DIFFERS = 4;
    private static final int STEP_PAGES = 1 << 16;

    /** Differing blocks that are named. */
    private static final int NAMED = 4;

    private final Path image;
    private final ImageTable table;

    private StoredImage(Path image, ImageTable table) {
        this.image = image;
        this.table = table;
    }

    /**
     * Opens an image that is whole.
     *
     * @param file the image
     * @return the image
     * @throws IOException when there is none
     */
    public static StoredImage open(Path file) throws IOException {
        Path image = file.toAbsolutePath();
        if (Files.exists(image) && !Files.isRegularFile(image)) {
            throw new IOException("there is no complete image: " + image + " is no regular file");
        }
        ImageTable table = ImageTable.beside(image);
        requireWhole(image, table);
        return new StoredImage(image, table);
    }

    /**
     * Returns what to do where an image cannot be read. What is no image is not to be replaced by
     * one: the name may be wrong.
     *
     * @param file the image
     * @return the end of a line
     */
    public static String remedy(Path file) {
        Path image = file.toAbsolutePath();
        return Files.exists(MemoryImageFiles.table(image))
                ? "; receive the guest again with: pageferry receive image:" + image
                : "; give the FILE of a pageferry receive image:FILE that took a guest";
    }

    private static void requireWhole(Path image, ImageTable table) throws IOException {
        long bytes = table.guest().regions().totalBytes();
        requireSize(image, bytes, "its regions");
        requireSize(MemoryImageFiles.state(image), table.stateBytes(), "the device state");
    }

    private static void requireSize(Path path, long bytes, String what) throws IOException {
        try {
            if (Files.size(path) != bytes) {
                throw new IOException(path + " has " + Files.size(path) + " bytes, and " + what
                        + " took " + bytes);
            }
        } catch (NoSuchFileException e) {
            throw new IOException("there is no complete image: " + path + " is missing", e);
        }
    }

    /**
     * Prints what it holds.
     *
     * @param output to write to
     * @return exit code
     * @throws IOException when it cannot be read
     */
    public int info(Output output) throws IOException {
        long stored;
        try (RegionFiles memory = MemoryImageFiles.map(image, table.guest().regions(), false)) {
            stored = memory.dataBytes();
        }
        output.emit(table.json().put("event", "image").put("file", image.toString())
                .put("memoryBytes", table.guest().regions().totalBytes())
                .put("storedBytes", stored));
        if (output.isJson()) {
            return 0;
        }
        output.human(String.format(Locale.ROOT, "%s: %s guest '%s', %d bytes of memory, %d of them"
                + " stored", image, table.guest().kind(), table.guest().name(),
                table.guest().regions().totalBytes(), stored));
        long offset = 0;
        for (Region region : table.guest().regions().regions()) {
            output.human(String.format(Locale.ROOT, "region %s: %d bytes at %d of the file, guest"
                    + " base 0x%x, granule %d", region.name(), region.size(), offset,
                    region.guestBase(), region.granule()));
            offset += region.size();
        }
        output.human("device state: " + table.stateBytes() + " bytes in "
                + MemoryImageFiles.state(image));
        output.human("digest: " + (table.digests() == null
                ? "none, it was moved with --verify none"
                : ImageTable.hex(table.digests().digest())));
        return 0;
    }

    /**
     * Reads all of it and compares.
     *
     * @param output to write to
     * @return exit code
     * @throws IOException when it cannot be read
     */
    public int verify(Output output) throws IOException {
        ImageDigests stored = table.digests();
        if (stored == null) {
            output.note("pageferry: " + image + " cannot be verified: it was moved with --verify"
                    + " none, so no digest was stored; receive it again with --verify sent");
            return REFUSED;
        }
        ImageDigests now = read();
        List<Integer> differing = stored.differing(now);
        boolean equal = differing.isEmpty() && stored.digest() == now.digest();
        output.emit(Output.event("image-verified").put("file", image.toString())
                .put("pages", table.guest().regions().pageCount())
                .put("storedDigest", ImageTable.hex(stored.digest()))
                .put("digest", ImageTable.hex(now.digest())).put("match", equal)
                .put("differingBlocks", differing.size()));
        if (equal) {
            output.human(image + ": " + table.guest().regions().pageCount()
                    + " pages are as they were stored, digest " + ImageTable.hex(now.digest()));
            return 0;
        }
        output.note("pageferry: " + image + " is not what was stored: " + differing.size() + " of "
                + stored.blocks().size() + " blocks differ, at "
                + places(differing, stored.blockPages())
                + " of the file; do not start a guest on it, receive it again");
        return DIFFERS;
    }

    private ImageDigests read() throws IOException {
        try (RegionFiles memory = MemoryImageFiles.map(image, table.guest().regions(), false);
                ChecksumTable sums = new ChecksumTable(table.guest().regions().pageCount())) {
            MemoryReader reader = new MemoryReader(memory, sums);
            while (!reader.isDone()) {
                reader.step(STEP_PAGES);
            }
            return ImageDigests.of(sums, table.digests().blockPages());
        }
    }

    private static String places(List<Integer> blocks, long blockPages) {
        StringBuilder text = new StringBuilder();
        for (int block : blocks.subList(0, Math.min(NAMED, blocks.size()))) {
            text.append(text.isEmpty() ? "" : ", ").append("0x").append(
                    Long.toHexString(block * PageGeometry.bytesOf(blockPages)));
        }
        return text + (blocks.size() > NAMED ? " …" : "");
    }
}
