package io.pageferry.agent.host.disk.freeze;

import io.pageferry.agent.host.linux.block.MountedFilesystem;
import io.pageferry.agent.host.machine.boot.MoveMark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.agrona.CloseHelper;

/**
 * Holds the roots of mounts and can thaw them at any moment, without opening anything, also in
 * another process than the one that froze them. Any thread.
 */
public final class Thawer implements AutoCloseable {
    private static final Path ROOT = Path.of("/");
    private static final long WAIT_NANOS = 1_000_000_000L;

    private final List<MountedFilesystem> mounts;

    /** Of opened mounts, in the order of freezing; owned from now on. */
    Thawer(List<MountedFilesystem> mounts) {
        this.mounts = List.copyOf(mounts);
    }

    /**
     * Opens the mounts, frozen or not.
     *
     * @param frozen says which
     * @return the caller's to close; until then nobody can unmount them
     * @throws IOException when one of them is not there any more
     */
    public static Thawer open(FrozenMounts frozen) throws IOException {
        List<MountedFilesystem> opened = new ArrayList<>();
        boolean all = false;
        try {
            for (FrozenMounts.Place place : frozen.mounts()) {
                opened.add(MountedFilesystem.open(place.point(), place.mountId()));
            }
            all = true;
            return new Thawer(opened);
        } finally {
            if (!all) {
                CloseHelper.closeAll(opened);
            }
        }
    }

    /**
     * Refuses to be held by a process that writes to one of them: it would hang by that when they
     * are frozen, and thaw nothing.
     *
     * @param frozen what was opened
     * @throws IOException when this process does; names the file
     */
    public static void requireFree(FrozenMounts frozen) throws IOException {
        List<String> own = OwnFiles.writtenOn(frozen.mounts().stream()
                .map(FrozenMounts.Place::device).collect(Collectors.toSet()));
        if (!own.isEmpty()) {
            throw new IOException("this process writes to " + own.getFirst() + ", which would be"
                    + " frozen: have it write elsewhere, on another disk or in /run");
        }
    }

    /**
     * Thaws what is frozen, what was frozen last first. Waits a second for each, and goes on with
     * the others: one whose disk hangs is thawed when it does not any more.
     *
     * @return what was frozen until now
     * @throws IOException when one could not be thawed
     */
    public List<Path> thaw() throws IOException {
        List<Path> thawed = Collections.synchronizedList(new ArrayList<>());
        IOException failed = null;
        for (MountedFilesystem mount : mounts.reversed()) {
            FreezeRun run = FreezeRun.begin("thaw", any -> {
                if (mount.thaw()) {
                    thawed.add(mount.mountPoint());
                    if (mount.mountPoint().equals(ROOT)) {
                        // The machine goes on here.
                        MoveMark.ofHost().delete();
                    }
                }
            });
            try {
                run.await(System.nanoTime() + WAIT_NANOS, mount + " does not thaw yet");
            } catch (IOException e) {
                failed = failed == null ? e : failed;
            }
        }
        if (failed != null) {
            throw failed;
        }
        return List.copyOf(thawed);
    }

    /** Lets go of the mounts; what is frozen stays so. Idempotent. */
    @Override
    public void close() {
        CloseHelper.closeAll(mounts);
    }
}
