package io.pageferry.agent.guest;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much memory this host has left. */
public final class HostMemory {
    private static final String AVAILABLE = "MemAvailable:";

    private HostMemory() {
    }

    /**
     * Refuses a guest that does not fit: its data and a tenth more must be available.
     *
     * @param dataBytes bytes of the guest that are not holes
     * @throws GuestException {@link ErrorCode#NO_ROOM} when they do not fit
     */
    public static void requireRoomFor(long dataBytes) throws GuestException {
        long available = available();
        long needed = dataBytes + dataBytes / 10;
        if (needed > available) {
            throw new GuestException(ErrorCode.NO_ROOM, "the guest needs " + mebi(needed)
                    + " MiB of memory here (its " + mebi(dataBytes) + " MiB and 10 %), and "
                    + mebi(available) + " MiB are available",
                    "free memory at the target or choose another host");
        }
    }

    /**
     * Reads what is available without swapping.
     *
     * @return bytes, {@link Long#MAX_VALUE} where the host does not say
     */
    public static long available() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
                if (line.startsWith(AVAILABLE)) {
                    String kibi = line.substring(AVAILABLE.length()).replace("kB", "").strip();
                    return Long.parseLong(kibi) * 1024;
                }
            }
        } catch (IOException unreadable) {
            return Long.MAX_VALUE;
        }
        return Long.MAX_VALUE;
    }

    private static long mebi(long bytes) {
        return bytes >>> 20;
    }
}
