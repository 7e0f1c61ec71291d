package io.pageferry.agent.host.linux.block;

import io.pageferry.agent.host.linux.ProcText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Swap of this host, as {@code /proc/swaps} shows it (proc(5)). */
public final class SwapAreas {
    private static final Path SWAPS = Path.of("/proc/swaps");

    private SwapAreas() {
    }

    /**
     * Lists what is swapped to.
     *
     * @return paths of device nodes and files
     * @throws IOException when that cannot be read
     */
    public static List<Path> all() throws IOException {
        return ProcText.parse("swaps", Files.readString(SWAPS, StandardCharsets.ISO_8859_1),
                text -> text.lines().skip(1).map(line -> Path.of(
                        ProcText.unescape(line.split("\\s")[0]))).toList());
    }
}
