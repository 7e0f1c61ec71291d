package io.pageferry.agent.e2e;

import io.pageferry.agent.guest.kvm.HopVmm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * {@link HopVmm} as a process of its own, with the one option that an embedder's program needs and
 * none of those that Pageferry's commands have. Used by one thread; another one reads what it says.
 */
final class VmmProcess implements AutoCloseable {
    private final Process process;
    private final Path words;
    private final Writer orders;
    private final Thread reader;

    // Guarded by this.
    private final List<String> lines = new ArrayList<>();
    private boolean ended;
    private int heard;

    private VmmProcess(Process process, Path words) {
        this.process = process;
        this.words = words;
        this.orders = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
        this.reader = Thread.ofPlatform().daemon().name("words of a monitor").start(this::read);
    }

    /** Starts one with its journals in a folder. */
    static VmmProcess start(Path folder, String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                // Without the optimising compiler they start in half the time, and move as well.
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
                System.getProperty("java.class.path"), HopVmm.class.getName(),
                folder.resolve("journals").toString()));
        command.addAll(Arrays.asList(more));
        Path words = Files.createTempFile(folder, "vmm", ".words");
        return new VmmProcess(new ProcessBuilder(command).redirectError(words.toFile()).start(),
                words);
    }

    private void read() {
        try (BufferedReader said = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = said.readLine(); line != null; line = said.readLine()) {
                note(line);
            }
        } catch (IOException e) {
            // The same as its end: nothing more comes.
        } finally {
            note(null);
        }
    }

    private synchronized void note(String line) {
        if (line == null) {
            ended = true;
        } else {
            lines.add(line);
        }
        notifyAll();
    }

    /** Waits for the next line that begins so, and gives the rest of it. */
    synchronized String await(String beginning) {
        long start = System.nanoTime();
        while (true) {
            while (heard < lines.size()) {
                String line = lines.get(heard++);
                if (line.startsWith(beginning)) {
                    return line.substring(beginning.length());
                }
            }
            long left = Poll.LIMIT.toMillis() - (System.nanoTime() - start) / 1_000_000;
            if (ended || left <= 0) {
                throw new AssertionError("no '" + beginning + "' of " + this);
            }
            try {
                wait(left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted", e);
            }
        }
    }

    /** Tells it something: {@code check}, or the port to move to. */
    void order(String line) throws IOException {
        orders.write(line + "\n");
        orders.flush();
    }

    /** Waits for its end. */
    int exit() {
        try {
            if (!process.waitFor(Poll.LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("does not end: " + this);
            }
            reader.join(Poll.LIMIT);
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    @Override
    public synchronized String toString() {
        try {
            return "monitor " + process.pid() + " said " + lines + "\n" + Files.readString(words);
        } catch (IOException e) {
            return "monitor " + process.pid() + " said " + lines;
        }
    }

    /** Ends it where it still runs. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(Poll.LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
