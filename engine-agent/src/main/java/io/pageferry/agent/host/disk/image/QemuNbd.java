package io.pageferry.agent.host.disk.image;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.UnixPeer;
import io.pageferry.agent.host.process.ProcessInstance;
import io.pageferry.core.words.Printable;
import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A qemu-nbd that has one image, on a socket in a folder of this user's alone. It takes one client,
 * ends when that leaves, and is ended by the kernel when this process does.
 */
final class QemuNbd implements AutoCloseable {
    private static final String PROGRAM = "qemu-nbd";
    private static final String NAME = "pageferry-nbd-";
    private static final Pattern FOLDER = Pattern.compile(NAME + "(\\d+)-(\\d+)-.*");
    private static final Duration START = Duration.ofSeconds(30);
    private static final Duration END = Duration.ofSeconds(10);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SHOWN = 300;

    /**
     * Of glibc, others do not look at it: memory of a request is used again. As it is, each request
     * of 1 MiB is given memory by the kernel, which clears it page by page, and returns it: three
     * quarters of the program's time (docs/BENCHMARKS.md).
     */
    private static final String TUNABLES = "GLIBC_TUNABLES";
    private static final String KEPT_MEMORY = "glibc.malloc.mmap_threshold=33554432"
            + ":glibc.malloc.trim_threshold=1073741824:glibc.malloc.top_pad=16777216";

    private final Path folder;
    private final Process process;

    private QemuNbd(Path folder, Process process) {
        this.folder = folder;
        this.process = process;
    }

    /**
     * Starts one.
     *
     * @param image  of a file or a device
     * @param device whether it is a block device
     * @param format of the image; never guessed
     * @param writes whether it is to be written
     * @return it, listening
     * @throws IOException in qemu-nbd's words, where it cannot have the image
     */
    static QemuNbd start(Path image, boolean device, ImageFormat format, boolean writes)
            throws IOException {
        requireProgram(PROGRAM);
        Path folder = Files.createTempDirectory(NAME + ProcessHandle.current().pid() + "-"
                + Processes.startTicks(ProcessHandle.current().pid()).orElse(0) + "-");
        QemuNbd started = null;
        try {
            sweep(folder);
            // A session of its own: a Ctrl-C ends this process first, which needs it until then.
            List<String> command = new ArrayList<>(List.of("setsid", "setpriv", "--pdeathsig",
                    "TERM", PROGRAM, "--socket", socket(folder).toString(), "--cache=none"));
            command.addAll(writes ? List.of("--discard=unmap") : List.of("--read-only"));
            command.add(named(image, device, format));
            QemuNbd server = new QemuNbd(folder, run(command, folder));
            server.awaitListening(image);
            started = server;
            return started;
        } finally {
            if (started == null) {
                delete(folder);
            }
        }
    }

    /** Names every driver, so that nothing is looked for in the image, and no other file. */
    private static String named(Path image, boolean device, ImageFormat format) {
        ObjectNode top = JSON.createObjectNode().put("driver", format.label());
        top.putObject("file").put("driver", device ? "host_device" : "file")
                .put("filename", image.toString());
        if (format == ImageFormat.QCOW2) {
            top.putNull("backing");
        }
        return "json:" + top;
    }

    /** The kernel ends it with the thread that started it, which therefore waits for its end. */
    private static Process run(List<String> command, Path folder) throws IOException {
        CompletableFuture<Process> started = new CompletableFuture<>();
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(words(folder).toFile());
        builder.environment().merge(TUNABLES, KEPT_MEMORY, (own, ours) -> own + ":" + ours);
        Thread.ofPlatform().daemon().name(PROGRAM).start(() -> {
            try {
                Process process = builder.start();
                started.complete(process);
                process.waitFor();
            } catch (IOException e) {
                started.completeExceptionally(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            return started.get(START.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException(PROGRAM + " cannot be started: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private void awaitListening(Path image) throws IOException {
        long deadline = System.nanoTime() + START.toNanos();
        while (!UnixPeer.isListening(socket(folder))) {
            if (process.isAlive() && System.nanoTime() - deadline < 0) {
                pause();
                continue;
            }
            process.destroyForcibly();
            throw new IOException(PROGRAM + " does not open " + image + ": " + words());
        }
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(2);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private String words() throws IOException {
        String text = Printable.of(Files.readString(words(folder)).strip()
                .replaceFirst("^" + PROGRAM + ": ", "").replaceAll("\\s+", " "));
        return text.isEmpty() ? "it says nothing" : text.substring(0,
                Math.min(SHOWN, text.length()));
    }

    /** {@return where it listens} */
    Path socket() {
        return socket(folder);
    }

    private static Path socket(Path folder) {
        return folder.resolve("nbd");
    }

    private static Path words(Path folder) {
        return folder.resolve("words");
    }

    /**
     * Makes an empty image over a file.
     *
     * @param image of the file, which is there
     * @param format of it
     * @param bytes  of the disk in it
     * @throws IOException in qemu-img's words, where it cannot
     */
    static void create(Path image, ImageFormat format, long bytes) throws IOException {
        requireProgram("qemu-img");
        Process made = new ProcessBuilder("qemu-img", "create", "-q", "-f", format.label(),
                image.toString(), Long.toString(bytes)).redirectErrorStream(true)
                .redirectInput(new File("/dev/null")).start();
        try {
            made.getOutputStream().close();
            if (!made.waitFor(START.toSeconds(), TimeUnit.SECONDS)) {
                throw new IOException("qemu-img does not end over " + image);
            }
            if (made.exitValue() != 0) {
                throw new IOException(Printable.of(new String(
                        made.getInputStream().readAllBytes()).strip().replaceAll("\\s+", " ")));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            made.destroyForcibly();
        }
    }

    private static void requireProgram(String program) throws IOException {
        if (Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .noneMatch(folder -> Files.isExecutable(Path.of(folder, program)))) {
            throw new IOException(program + " is not installed, by which images that are not raw"
                    + " are read and written (Debian: qemu-utils)");
        }
    }

    /**
     * Deletes what agents of this user left that were killed; their servers ended with them. Others
     * may put folders and links of theirs there, which are not followed.
     */
    private static void sweep(Path own) throws IOException {
        Object user = userOf(own);
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(own.getParent(),
                NAME + "*")) {
            for (Path one : folders) {
                Matcher name = FOLDER.matcher(one.getFileName().toString());
                if (name.matches() && Files.isDirectory(one, LinkOption.NOFOLLOW_LINKS)
                        && user.equals(userOf(one))
                        && !new ProcessInstance(Long.parseLong(name.group(1)),
                        Long.parseLong(name.group(2))).isAlive()) {
                    delete(one);
                }
            }
        } catch (NoSuchFileException e) {
            // Its own agent was faster.
            return;
        }
    }

    private static Object userOf(Path folder) throws IOException {
        return Files.getAttribute(folder, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    }

    private static void delete(Path folder) {
        try {
            Files.deleteIfExists(socket(folder));
            Files.deleteIfExists(words(folder));
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            // What stays is a folder that nobody else can enter.
            return;
        }
    }

    /** Waits for its end, once its client left. Idempotent. */
    @Override
    public void close() {
        try {
            if (!process.waitFor(END.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        delete(folder);
    }
}
