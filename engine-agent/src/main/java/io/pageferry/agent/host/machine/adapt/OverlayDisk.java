package io.pageferry.agent.host.machine.adapt;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.process.ProgramRunner;
import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;

/**
 * A disk over another one that is only read: what is written goes into a file of its own, until it
 * is committed. QEMU has both, of any format, and shows them as one raw file in a private space.
 */
final class OverlayDisk {
    private static final String DAEMON = "qemu-storage-daemon";
    private static final Duration START = Duration.ofSeconds(60);
    /** Longest time that a commit may take. */
    static final Duration COPY = Duration.ofHours(6);
    private static final long PAUSE_MILLIS = 10;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ProgramRunner runner;
    private final PrivateSpace space;
    private final Path overlay;
    private final Path disk;
    private final Path words;
    private Process daemon;

    private OverlayDisk(ProgramRunner runner, PrivateSpace space, Path folder) {
        this.runner = runner;
        this.space = space;
        this.overlay = folder.resolve("overlay.qcow2");
        this.disk = folder.resolve("disk");
        this.words = folder.resolve("words");
    }

    /** Makes the file of what will be written. The format is said, and nothing is guessed. */
    static OverlayDisk over(ProgramRunner runner, PrivateSpace space, Path folder, Path image,
            String format) throws IOException {
        ProgramRunner.requireProgram("qemu-img", "qemu-utils");
        ProgramRunner.requireProgram(DAEMON, "qemu-system-common");
        OverlayDisk made = new OverlayDisk(runner, space, folder);
        runner.require(List.of("qemu-img", "create", "-q", "-f", "qcow2", "-b", image.toString(),
                "-F", format, made.overlay.toString()), START);
        Files.createFile(made.disk);
        return made;
    }

    /** {@return the file of what is written} */
    Path file() {
        return overlay;
    }

    /** Shows it in the private space. */
    void show() throws IOException {
        ObjectNode file = JSON.createObjectNode().put("driver", "file").put("node-name", "file")
                .put("filename", overlay.toString()).put("locking", "on");
        ObjectNode node = JSON.createObjectNode().put("driver", "qcow2").put("node-name", "disk")
                .put("discard", "unmap").put("file", "file");
        ObjectNode export = JSON.createObjectNode().put("type", "fuse").put("id", "export")
                .put("node-name", "disk").put("mountpoint", disk.toString())
                .put("writable", true);
        daemon = space.start(List.of(DAEMON, "--blockdev", file.toString(), "--blockdev",
                node.toString(), "--export", export.toString()), words);
        long deadline = System.nanoTime() + START.toNanos();
        while (!isShown()) {
            runner.requireNotCancelled();
            if (!daemon.isAlive() || System.nanoTime() - deadline > 0) {
                throw new IOException(DAEMON + " does not show the disk: " + words());
            }
            pause();
        }
    }

    private boolean isShown() throws IOException {
        return Files.readString(Path.of("/proc/" + space.pid() + "/mountinfo"),
                StandardCharsets.ISO_8859_1).contains(" fuse ")
                && Files.size(space.seen(disk)) > 0;
    }

    private String words() throws IOException {
        return Printable.of(Files.readString(words, StandardCharsets.ISO_8859_1).strip()
                .replaceAll("\\s+", " "));
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** {@return where it is shown in the private space} */
    Path disk() {
        return disk;
    }

    /** Opens it, seen from here. */
    FileChannel open() throws IOException {
        return FileChannel.open(space.seen(disk), StandardOpenOption.READ,
                StandardOpenOption.WRITE);
    }

    /** Ends showing it, with all that was written in its file. */
    void hide() throws IOException {
        PrivateSpace.end(daemon);
        if (daemon.exitValue() != 0) {
            throw new IOException(DAEMON + " failed: " + words());
        }
    }

    /** Writes what was written into the disk below. It can be begun again where it is cut off. */
    void commit(ProgramRunner uncancelled) throws IOException {
        uncancelled.require(List.of("qemu-img", "commit", "-q", "-f", "qcow2", overlay.toString()),
                COPY);
    }
}
