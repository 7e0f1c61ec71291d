package io.pageferry.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much memory a process has that is no file's; proc_pid_status(5). */
public final class AnonymousMemory {
    private AnonymousMemory() {
    }

    /**
     * Reads the memory of one process.
     *
     * @param process its number, or {@code self}
     * @return bytes that are resident
     * @throws IOException when there is no such process, or the kernel does not say
     */
    public static long bytes(String process) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc", process, "status"))) {
            if (line.startsWith("RssAnon:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        throw new IOException("/proc/" + process + "/status names no RssAnon");
    }
}
