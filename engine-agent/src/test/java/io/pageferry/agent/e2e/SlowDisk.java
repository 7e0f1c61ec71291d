package io.pageferry.agent.e2e;

import io.pageferry.agent.demo.ProcessMark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;

/**
 * A loop device of random bytes whose reads the kernel holds up, for one process: cgroup v1's
 * throttle of block devices. A request that is held up has its pages pinned all the while.
 */
final class SlowDisk implements AutoCloseable {
    private static final Path BLKIO = Path.of("/sys/fs/cgroup/blkio");
    private static final int BYTES = 8 << 20;

    private final String device;
    private final Path group;

    private SlowDisk(String device, Path group) {
        this.device = device;
        this.group = group;
    }

    /** Makes one, or skips the test. */
    static SlowDisk make(Path folder, Random chance) throws IOException {
        Assumptions.assumeTrue(Files.exists(BLKIO.resolve("blkio.throttle.read_iops_device")),
                "cgroup v1 has no throttle of block devices here");
        byte[] content = new byte[BYTES];
        chance.nextBytes(content);
        Path file = Files.write(folder.resolve("slow"), content);
        String device = DiskGuest.run("losetup", "--read-only", "--find", "--show",
                file.toString()).strip();
        Path group = BLKIO.resolve("pageferry-test-" + ProcessHandle.current().pid() + "-"
                + Path.of(device).getFileName());
        SlowDisk disk = new SlowDisk(device, group);
        boolean made = false;
        try {
            Files.createDirectory(group);
            made = true;
            return disk;
        } finally {
            if (!made) {
                disk.close();
            }
        }
    }

    String device() {
        return device;
    }

    /** From now on each read of a process takes so long, or as long as it takes with 0. */
    void holdUp(ProcessMark process, int millis) throws IOException {
        String number = DiskGuest.run("lsblk", "-dno", "MAJ:MIN", device).strip();
        Files.writeString(group.resolve("blkio.throttle.read_iops_device"),
                number + " " + (millis == 0 ? 0 : 1000 / millis));
        Files.writeString(group.resolve("cgroup.procs"), Long.toString(process.pid()));
    }

    /** From now on it answers a process nothing more, or all that it asked with false. */
    void stall(ProcessMark process, boolean stalls) throws IOException {
        String number = DiskGuest.run("lsblk", "-dno", "MAJ:MIN", device).strip();
        // A byte a second: 0 is no limit.
        Files.writeString(group.resolve("blkio.throttle.read_bps_device"),
                number + (stalls ? " 1" : " 0"));
        Files.writeString(group.resolve("cgroup.procs"), Long.toString(process.pid()));
    }

    /** Whoever is in the group has ended. */
    @Override
    public void close() throws IOException {
        Poll.until(() -> !Files.exists(group) || Files.readString(
                group.resolve("cgroup.procs")).isBlank(), () -> "somebody is in " + group);
        Files.deleteIfExists(group);
        DiskGuest.run("losetup", "--detach", device);
    }
}
