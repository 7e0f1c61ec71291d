package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * A file system of one page, for a state directory. A journal is there to its last byte or not at
 * all; which record does not fit is decided by how long its header is, and the header repeats the
 * guest's URI as it was written.
 */
final class FullDisk implements AutoCloseable {
    static final int PAGE = 4096;

    /** A tab, eight digits of checksum and the line end, as FileJournal writes them. */
    private static final int LINE_EXTRA = 10;

    private final Path folder;

    private FullDisk(Path folder) {
        this.folder = folder;
    }

    /** Mounts one, or skips the test. */
    static FullDisk mount(Path folder) throws IOException {
        return mount(folder, "4k");
    }

    /** Mounts one of another size. */
    static FullDisk mount(Path folder, String size) throws IOException {
        Files.createDirectories(folder);
        String refused = run("mount", "-t", "tmpfs", "-o", "size=" + size + ",mode=0700",
                "pageferry-test", folder.toString());
        Assumptions.assumeTrue(refused.isEmpty(), "no file system can be mounted: " + refused);
        return new FullDisk(folder);
    }

    Path folder() {
        return folder;
    }

    /** Leaves no room at all. */
    void fill() throws IOException {
        Files.write(folder.resolve("filler"), new byte[PAGE]);
    }

    /** Takes room away, but for so much. */
    Path fillBut(long bytes) throws IOException {
        Path filler = folder.resolve("filler");
        long free = Files.getFileStore(folder).getUsableSpace() - bytes;
        Files.write(filler, new byte[Math.toIntExact(free)]);
        return filler;
    }

    /** Makes room for another page. */
    void grow() throws IOException {
        assertEquals("", run("mount", "-o", "remount,size=8k", folder.toString()));
    }

    /** Bytes of a line of a journal. */
    static int line(Object entry) throws IOException {
        return new ObjectMapper().writeValueAsString(entry)
                .getBytes(StandardCharsets.UTF_8).length + LINE_EXTRA;
    }

    @Override
    public void close() throws IOException {
        String refused = run("umount", folder.toString());
        if (!refused.isEmpty()) {
            // After a failure somebody may still be there: gone from the tree all the same.
            run("umount", "-l", folder.toString());
        }
        assertEquals("", refused);
    }

    /** Returns its complaint, or nothing. */
    private static String run(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String words = new String(process.getInputStream().readAllBytes(),
                StandardCharsets.UTF_8);
        try {
            return process.waitFor() == 0 ? "" : words.isBlank() ? "it failed" : words.strip();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
