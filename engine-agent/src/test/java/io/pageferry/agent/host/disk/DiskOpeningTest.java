package io.pageferry.agent.host.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.LoopDevice;
import io.pageferry.agent.host.linux.block.BlockFile;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk is taken alone or not at all, and who has it is named. */
class DiskOpeningTest {
    private static final int MIB = 1 << 20;
    /** Where a partition begins, in sectors, and how many it has. */
    private static final int FIRST = 2048;
    private static final int COUNT = 20_480;

    @TempDir
    private Path folder;

    private static void assertRefused(Path disk, String who, String remedy) {
        for (HeldOpener opener : new HeldOpener[] {DiskOpening::source, DiskOpening::target}) {
            GuestException no = assertThrows(GuestException.class, () -> opener.open(disk).close());
            assertTrue(no.getMessage().contains(who), no.getMessage());
            assertTrue(no.remedy().contains(remedy), no.remedy());
        }
    }

    private interface HeldOpener {
        DirectDisk open(Path path) throws GuestException;
    }

    @Test
    void aMountedDiskIsNotTaken() throws IOException {
        Path mount = Files.createDirectory(folder.resolve("mount"));
        try (LoopDevice loop = LoopDevice.of(folder.resolve("disk"), 16 * MIB, 0)) {
            LoopDevice.run("mkfs.ext4", "-q", loop.toString());
            LoopDevice.run("mount", loop.toString(), mount.toString());
            try {
                assertRefused(loop.device(), loop + " is mounted on " + mount, "umount " + mount);
            } finally {
                LoopDevice.run("umount", mount.toString());
            }
            DiskOpening.target(loop.device()).close();
        }
    }

    /** The whole disk, while one of its partitions is mounted; and the partition itself. */
    @Test
    void aDiskIsNotTakenUnderAPartitionThatIsMounted() throws IOException {
        Path mount = Files.createDirectory(folder.resolve("mount"));
        Path file = LoopDevice.file(folder.resolve("disk"), 16 * MIB, 0);
        partition(file);
        try (LoopDevice loop = LoopDevice.over(file)) {
            LoopDevice.run("partx", "--add", "--nr", "1", loop.toString());
            Path part = Path.of(loop + "p1");
            try {
                LoopDevice.run("mkfs.ext4", "-q", part.toString());
                LoopDevice.run("mount", part.toString(), mount.toString());
                try {
                    assertRefused(loop.device(), part + " is mounted on " + mount, "umount");
                    assertRefused(part, part + " is mounted on " + mount, "umount");
                } finally {
                    LoopDevice.run("umount", mount.toString());
                }
                try (DirectDisk taken = DiskOpening.target(part)) {
                    assertRefused(loop.device(), "", "");
                    assertEquals((long) COUNT * BlockFile.SECTOR, taken.size());
                }
            } finally {
                LoopDevice.run("partx", "--delete", loop.toString());
            }
        }
    }

    /** A table of one partition, as a PC has it. */
    private static void partition(Path file) throws IOException {
        try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
            disk.seek(446);
            disk.write(new byte[] {0, 0, 0, 0, (byte) 0x83, 0, 0, 0});
            disk.writeInt(Integer.reverseBytes(FIRST));
            disk.writeInt(Integer.reverseBytes(COUNT));
            disk.seek(510);
            disk.write(new byte[] {0x55, (byte) 0xaa});
        }
    }

    @Test
    void aDiskIsTakenOnce() throws IOException {
        try (LoopDevice loop = LoopDevice.of(folder.resolve("disk"), MIB, 0);
                DirectDisk taken = DiskOpening.target(loop.device())) {
            assertRefused(taken.path(), taken + " is held by somebody else", "end that one");
        }
    }

    @Test
    void swapIsNotTaken() throws IOException {
        try (LoopDevice loop = LoopDevice.of(folder.resolve("disk"), MIB, 0)) {
            LoopDevice.run("mkswap", loop.toString());
            LoopDevice.run("swapon", loop.toString());
            try {
                assertRefused(loop.device(), loop + " is swap", "swapoff " + loop);
            } finally {
                LoopDevice.run("swapoff", loop.toString());
            }
        }
    }

    @Test
    void aReadOnlyDeviceIsASourceOnly() throws IOException {
        Path file = LoopDevice.file(folder.resolve("disk"), MIB, 0);
        try (LoopDevice loop = LoopDevice.over(file, "--read-only")) {
            DiskOpening.source(loop.device()).close();
            GuestException no = assertThrows(GuestException.class,
                    () -> DiskOpening.target(loop.device()).close());
            assertTrue(no.getMessage().contains("read-only"), no.getMessage());
        }
    }

    @Test
    void aFileUnderALoopDeviceIsNotTaken() throws IOException {
        try (LoopDevice loop = LoopDevice.of(folder.resolve("disk"), MIB, 0)) {
            assertRefused(loop.file(), loop + " is attached to " + loop.file(), "losetup -d");
        }
    }

    @Test
    void aFileThatAnotherProcessWritesIsNotTaken() throws IOException, InterruptedException {
        Path file = LoopDevice.file(folder.resolve("disk"), MIB, 0);
        Process writer = new ProcessBuilder("cat").redirectOutput(
                ProcessBuilder.Redirect.appendTo(file.toFile())).start();
        try {
            assertRefused(file, file + " is being written by process " + writer.pid(), "end that");
        } finally {
            writer.destroyForcibly().waitFor();
        }
        DiskOpening.source(file).close();
    }

    /** QEMU's locks are of open files, so this process has some as well as another. */
    @Test
    void aFileThatAQemuHasIsNotTaken() throws IOException {
        Path file = LoopDevice.file(folder.resolve("disk"), MIB, 0);
        try (BlockFile qemu = BlockFile.open(file, false, BlockFile.Use.LOOK)) {
            assertTrue(qemu.lock(101, 1, false));
            assertRefused(file, file + " is locked by another process", "end that one");
        }
        try (DirectDisk source = DiskOpening.source(file);
                BlockFile qemu = BlockFile.open(file, false, BlockFile.Use.LOOK)) {
            assertTrue(qemu.isLocked(201, 1), "a QEMU would write to " + source);
        }
    }

    @Test
    void whatIsNoDiskIsNotTaken() throws IOException {
        assertRefused(folder, folder + " is neither", "name a block device");
        assertRefused(folder.resolve("none"), "there is no " + folder.resolve("none"), "truncate");
        assertRefused(Path.of("/dev/null"), "neither", "name a block device");
        Path empty = Files.createFile(folder.resolve("empty"));
        assertRefused(empty, "has no bytes", "truncate -s BYTES");
    }
}
