package io.pageferry.agent.host.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Keeps guest memory out of core dumps of this process: what is mapped of it, what lies in slots,
 * and the device state, which is on the heap. So nothing that is memory is written (core(5),
 * coredump_filter). Children inherit that.
 */
public final class CoreDumps {
    private static final Path FILTER = Path.of("/proc/self/coredump_filter");
    private static final String NOTHING = "0x0";
    private static final String KERNELS_DEFAULT = "0x33";

    private static volatile String usual = KERNELS_DEFAULT;

    private CoreDumps() {
    }

    /** Leaves memory out from now on; without effect where the kernel has no such filter. */
    public static void withholdMemory() {
        try {
            usual = "0x" + Files.readString(FILTER).strip();
            Files.write(FILTER, NOTHING.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            // A kernel without core dumps has no filter for them.
            return;
        }
    }

    /** {@return what was dumped before, as the filter's file takes it: for a child of its own} */
    public static String usual() {
        return usual;
    }
}
