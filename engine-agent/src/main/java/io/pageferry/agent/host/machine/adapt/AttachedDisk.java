package io.pageferry.agent.host.machine.adapt;

import io.pageferry.agent.host.machine.adapt.PartitionTable.Partition;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A disk as a loop device with its partitions. The kernel takes the device away with its last user,
 * which is a process in the private space: also where this process is killed.
 */
final class AttachedDisk {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final long PAUSE_MILLIS = 10;

    private final PrivateSpace space;
    private final String device;
    private Process user;

    private AttachedDisk(PrivateSpace space, String device) {
        this.space = space;
        this.device = device;
    }

    /** Attaches a file that is seen in the private space. */
    static AttachedDisk attach(PrivateSpace space, Path disk, Path words) throws IOException {
        AttachedDisk attached = new AttachedDisk(space, space.run(LIMIT, List.of("losetup",
                "--find", "--show", "--partscan", disk.toString())).strip());
        boolean held = false;
        try {
            attached.hold(words);
            // Where the kernel knows no partition tables this says them to it.
            space.run(LIMIT, List.of("partx", "--update", attached.device));
            held = true;
            return attached;
        } finally {
            if (!held) {
                attached.detachAnyway();
            }
        }
    }

    private void hold(Path words) throws IOException {
        user = space.start(List.of("sh", "-c", "exec 3<\"$1\" && losetup --detach \"$1\""
                + " && echo held && exec sleep infinity", "sh", device), words);
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (!Files.readString(words, StandardCharsets.ISO_8859_1).contains("held")) {
            if (!user.isAlive() || System.nanoTime() - deadline > 0) {
                throw new IOException(device + " cannot be held: " + Files.readString(words));
            }
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
    }

    /** {@return its node} */
    String device() {
        return device;
    }

    /** {@return the node of a partition} */
    String node(Partition partition) {
        return device + "p" + partition.number();
    }

    /** Takes it away; nothing of it is mounted any more. */
    void detach() throws IOException {
        space.run(LIMIT, List.of("partx", "--delete", device));
        PrivateSpace.end(user);
    }

    /** Takes it away where something failed. The private space takes its user away. */
    private void detachAnyway() {
        try {
            space.tryRun(LIMIT, List.of("losetup", "--detach", device));
        } catch (IOException e) {
            // It goes with its last user.
            return;
        }
    }
}
