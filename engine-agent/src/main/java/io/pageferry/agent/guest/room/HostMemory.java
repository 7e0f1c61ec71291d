package io.pageferry.agent.guest.room;

import io.pageferry.agent.host.cgroup.MemoryRoom;
import io.pageferry.agent.host.linux.ProcText;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How much memory a process of this host can still have.
 *
 * @param bytes without swapping; {@link Long#MAX_VALUE} where the host does not show it
 * @param where what limits it: this host, or a control group
 * @param more  what to do for more of it
 */
public record HostMemory(long bytes, String where, String more) {
    private static final Path PROC = Path.of("/proc");
    private static final String AVAILABLE = "MemAvailable:";

    /**
     * Refuses what does not fit now, and is no target's that comes: its data and a tenth more must
     * be available to this process.
     *
     * @param dataBytes bytes that are going to be filled
     * @throws GuestException {@link ErrorCode#NO_ROOM} when they do not fit
     */
    public static void requireRoomFor(long dataBytes) throws GuestException {
        available().requireFor(dataBytes);
    }

    /** {@return what is available to this process} */
    public static HostMemory available() {
        return available(ProcessHandle.current().pid());
    }

    /**
     * Looks what is available to this process and to another one.
     *
     * @param pid the other one
     * @return the less of both
     */
    public static HostMemory available(long pid) {
        return of(PROC, ProcessHandle.current().pid(), pid);
    }

    static HostMemory of(Path proc, long... pids) {
        HostMemory least = new HostMemory(onHost(proc), "on this host",
                "free memory at the target or choose another host");
        for (long pid : pids) {
            Optional<MemoryRoom> room = MemoryRoom.of(proc, pid);
            if (room.isPresent() && room.get().bytes() < least.bytes) {
                least = new HostMemory(room.get().bytes(), "in the control group "
                        + room.get().group() + " of process " + pid,
                        "raise its " + room.get().limit());
            }
        }
        return least;
    }

    /** {@return memory that a guest with so many bytes of data needs: a tenth more} */
    static long neededFor(long dataBytes) {
        return dataBytes + dataBytes / 10;
    }

    /** {@return the same without what was promised to others} */
    HostMemory less(long promised) {
        return promised == 0 ? this : new HostMemory(Math.max(0, bytes - promised),
                where + promisedWords(promised), more + ", or wait until they are here");
    }

    static String promisedWords(long bytes) {
        return bytes == 0 ? "" : " (" + mebi(bytes) + " MiB more are promised to guests on their"
                + " way)";
    }

    void requireFor(long dataBytes) throws GuestException {
        long needed = neededFor(dataBytes);
        if (needed > bytes) {
            throw new GuestException(ErrorCode.NO_ROOM, "the guest needs " + mebi(needed)
                    + " MiB of memory here (its " + mebi(dataBytes) + " MiB and 10 %), and "
                    + mebi(bytes) + " MiB are available " + where, more);
        }
    }

    private static long onHost(Path proc) {
        try {
            for (String line : Files.readAllLines(proc.resolve("meminfo"))) {
                if (line.startsWith(AVAILABLE)) {
                    String kibi = line.substring(AVAILABLE.length()).replace("kB", "").strip();
                    return ProcText.parse(AVAILABLE, kibi, Long::parseLong) * 1024;
                }
            }
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
        return Long.MAX_VALUE;
    }

    private static long mebi(long bytes) {
        return bytes >>> 20;
    }
}
