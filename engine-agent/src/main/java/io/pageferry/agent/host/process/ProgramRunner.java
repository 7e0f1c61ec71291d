package io.pageferry.agent.host.process;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.words.Printable;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs programs of this host one after another, in sessions of their own: a terminal's Ctrl-C
 * reaches them by {@link #cancel} alone, so that what undoes their work can still run. One thread;
 * {@code cancel} by any.
 */
public final class ProgramRunner {
    private static final int SHOWN = 300;
    private static final int NAMED = 100;
    private static final int NOT_FOUND = 127;

    private volatile boolean cancelled;
    private volatile Process current;

    /**
     * How a program ended.
     *
     * @param code its exit code
     * @param said all it wrote to stdout and stderr
     */
    public record Ended(int code, String said) {
        /** {@return the last of what it said, as one printable line} */
        public String lastWords() {
            String text = Printable.of(said.strip().replaceAll("\\s+", " "));
            return text.isEmpty() ? "it says nothing"
                    : text.substring(Math.max(0, text.length() - SHOWN));
        }

        /**
         * Requires that it succeeded.
         *
         * @param command that it was
         * @return all it said
         * @throws IOException in its words where it did not
         */
        public String require(List<String> command) throws IOException {
            if (code == 0) {
                return said;
            }
            String name = String.join(" ", command).replaceAll("\\s+", " ");
            throw new IOException(name.substring(0, Math.min(NAMED, name.length()))
                    + (code == NOT_FOUND ? ": there is no such program: " : " ended with " + code
                    + ": ") + lastWords());
        }
    }

    /** Makes a runner. */
    public ProgramRunner() {
    }

    /**
     * Runs a program to its end.
     *
     * @param command its name and arguments
     * @param limit   after which it is ended by force
     * @return how it ended
     * @throws IOException where it cannot be started, does not end, or all was cancelled
     */
    public Ended run(List<String> command, Duration limit) throws IOException {
        requireNotCancelled();
        Path words = Files.createTempFile("pageferry-", ".words");
        try {
            Process process = start(command, words);
            current = process;
            try {
                if (cancelled || !process.waitFor(limit.toSeconds(), TimeUnit.SECONDS)) {
                    end(process);
                    requireNotCancelled();
                    throw new IOException(command.getFirst() + " did not end in "
                            + limit.toSeconds() + " s");
                }
            } catch (InterruptedException e) {
                end(process);
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            } finally {
                current = null;
            }
            requireNotCancelled();
            return new Ended(process.exitValue(),
                    Files.readString(words, StandardCharsets.ISO_8859_1));
        } finally {
            Files.deleteIfExists(words);
        }
    }

    /**
     * Runs a program that has to succeed.
     *
     * @param command its name and arguments
     * @param limit   after which it is ended by force
     * @return all it said
     * @throws IOException in its words where it does not
     */
    public String require(List<String> command, Duration limit) throws IOException {
        return run(command, limit).require(command);
    }

    /**
     * Looks for a program of this host.
     *
     * @param name  of it
     * @param where Debian's package that has it
     * @throws GuestException where it is in no folder of PATH
     */
    public static void requireProgram(String name, String where) throws GuestException {
        String path = System.getenv().getOrDefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        if (Stream.of(path.split(":")).noneMatch(
                folder -> Files.isExecutable(Path.of(folder, name)))) {
            throw new GuestException(ErrorCode.HOST_FAILED, "there is no " + name + " on this host",
                    "install it (Debian: " + where + ")");
        }
    }

    /** Ends what runs; nothing is run any more. */
    public void cancel() {
        cancelled = true;
        Process process = current;
        if (process != null) {
            end(process);
        }
    }

    /**
     * Goes on only where nobody cancelled.
     *
     * @throws GuestException where somebody did
     */
    public void requireNotCancelled() throws GuestException {
        if (cancelled) {
            throw new GuestException(ErrorCode.CANCELLED, "cancelled", "");
        }
    }

    private static Process start(List<String> command, Path words) throws IOException {
        return new ProcessBuilder(Stream.concat(Stream.of("setsid", "--wait"), command.stream())
                .toList()).redirectErrorStream(true).redirectInput(new File("/dev/null"))
                .redirectOutput(words.toFile()).start();
    }

    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
