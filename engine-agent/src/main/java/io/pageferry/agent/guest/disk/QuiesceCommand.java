package io.pageferry.agent.guest.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * The operator's command that stops who writes, run by {@code /bin/sh -c} before anything is
 * frozen. It inherits stderr, and its stdout goes there too: stdout is the events'.
 */
final class QuiesceCommand {
    private static final long LIMIT_MINUTES = 10;
    private static final String SHELL = "exec /bin/sh -c \"$1\" >&2";

    private QuiesceCommand() {
    }

    /**
     * Runs it to its end.
     *
     * @param text of the shell
     * @throws IOException when it ends with anything but 0, or does not end
     */
    static void run(String text) throws IOException {
        Process process = new ProcessBuilder("/bin/sh", "-c", SHELL, "quiesce", text)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try {
            if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
                throw new IOException("the command of --quiesce did not end in " + LIMIT_MINUTES
                        + " minutes");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the command of --quiesce was interrupted", e);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        if (process.exitValue() != 0) {
            throw new IOException("the command of --quiesce ended with " + process.exitValue());
        }
    }
}
