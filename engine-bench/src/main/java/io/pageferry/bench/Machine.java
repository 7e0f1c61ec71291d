package io.pageferry.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a figure was measured on. */
public final class Machine {
    private Machine() {
    }

    /** {@return processors, memory, kernel and JDK in one line} */
    public static String describe() {
        return Runtime.getRuntime().availableProcessors() + " processors, " + memory() + ", "
                + System.getProperty("os.name") + " " + System.getProperty("os.version")
                + ", JDK " + System.getProperty("java.version");
    }

    private static String memory() {
        try {
            String line = Files.readAllLines(Path.of("/proc/meminfo")).getFirst();
            return Long.parseLong(line.replaceAll("\\D", "")) / (1 << 20) + " GiB";
        } catch (IOException e) {
            return "unknown memory";
        }
    }
}
