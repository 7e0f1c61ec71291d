package io.pageferry.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much memory a process has; proc_pid_status(5). */
public final class ProcessMemory {
    private ProcessMemory() {
    }

    /**
     * Reads what of it is no file's.
     *
     * @param process its number, or {@code self}
     * @return bytes that are resident
     * @throws IOException when there is no such process, or the kernel does not say
     */
    public static long anonymousBytes(String process) throws IOException {
        return bytes(process, "RssAnon:");
    }

    /**
     * Reads all of it.
     *
     * @param process its number, or {@code self}
     * @return bytes that are resident
     * @throws IOException when there is no such process, or the kernel does not say
     */
    public static long residentBytes(String process) throws IOException {
        return bytes(process, "VmRSS:");
    }

    private static long bytes(String process, String row) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc", process, "status"))) {
            if (line.startsWith(row)) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        throw new IOException("/proc/" + process + "/status names no " + row);
    }
}
