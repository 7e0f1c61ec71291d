package io.pageferry.agent.host.linux.block;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.host.linux.Requirements;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * A disk of a test: a loop device over a file in memory. The kernel takes it away with its last
 * user, so also where a test is killed.
 */
public final class LoopDisk implements AutoCloseable {
    public static final int PAGE = 4096;

    private static final int RUN_PAGES = 256;

    private static final int SECTOR = 512;
    private static final int MBR_ENTRY = 446;
    private static final OpenOption O_DIRECT = direct();

    /** What is undone at the end, the last one first. */
    private final Deque<Undo> undo = new ArrayDeque<>();
    private final Path folder;
    private final String device;

    private interface Undo {
        void run() throws IOException;
    }

    private LoopDisk(Path folder, String device) {
        this.folder = folder;
        this.device = device;
    }

    /** Makes one, or skips the test. */
    public static LoopDisk make(long bytes) throws IOException {
        Assumptions.assumeTrue(Files.isWritable(Path.of("/dev/loop-control")),
                "no loop devices can be made here: not root, or in a container");
        Path folder = Files.createTempDirectory(Path.of("/dev/shm"), "pageferry-disk-");
        return make(folder, folder, bytes);
    }

    /** Makes one whose file lies in the file system of another. */
    public static LoopDisk makeOn(Path folder, long bytes) throws IOException {
        return make(Files.createTempDirectory(Path.of("/dev/shm"), "pageferry-disk-"), folder,
                bytes);
    }

    private static LoopDisk make(Path folder, Path fileFolder, long bytes) throws IOException {
        Path file = fileFolder.resolve("disk");
        try (FileChannel made = FileChannel.open(file, StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE)) {
            made.write(ByteBuffer.allocate(1), bytes - 1);
        }
        String device = run("losetup", "--find", "--show", file.toString()).strip();
        LoopDisk disk = new LoopDisk(folder, device);
        disk.undo.push(() -> Files.delete(folder));
        disk.undo.push(() -> Files.delete(file));
        FileChannel held = FileChannel.open(Path.of(device), StandardOpenOption.READ);
        run("losetup", "--detach", device); // with its last user
        disk.undo.push(held::close);
        return disk;
    }

    /** {@return its node in /dev} */
    public String device() {
        return device;
    }

    public BlockDevice found() throws IOException {
        return find(device);
    }

    /** {@return what sysfs says of a node} */
    public static BlockDevice find(String node) throws IOException {
        return BlockDevices.ofHost().find(DeviceNumber.ofNode(Path.of(node)));
    }

    /** Gives it one partition, and returns its node. This kernel may know no partition tables. */
    public String partition(int firstSector, int sectors) throws IOException {
        ByteBuffer table = ByteBuffer.allocate(SECTOR).order(ByteOrder.LITTLE_ENDIAN);
        table.put(MBR_ENTRY + 4, (byte) 0x83).putInt(MBR_ENTRY + 8, firstSector)
                .putInt(MBR_ENTRY + 12, sectors).putShort(SECTOR - 2, (short) 0xaa55);
        try (FileChannel disk = FileChannel.open(Path.of(device), StandardOpenOption.WRITE)) {
            disk.write(table, 0);
            disk.force(true);
        }
        run("partx", "--update", device);
        undo.push(() -> run("partx", "--delete", device));
        return device + "p1";
    }

    /** Makes a file system on a node of it and mounts it. Returns where. */
    public Path mount(String node, String type) throws IOException {
        String force = type.equals("xfs") ? "-f" : "-F";
        run("mkfs." + type, "-q", force, node);
        return mountMade(node);
    }

    /** Mounts what is on a node of it. */
    public Path mountMade(String node) throws IOException {
        Path point = Files.createDirectory(folder.resolve("mnt" + undo.size()));
        undo.push(() -> Files.delete(point));
        run("mount", node, point.toString());
        undo.push(() -> unmount(point));
        return point;
    }

    /** Whatever a test left frozen. Somebody may look into every new mount for a moment. */
    private static void unmount(Path point) throws IOException {
        thaw(point);
        long deadline = System.nanoTime() + Requirements.HANG.toNanos();
        while (exit("umount", point.toString()) != 0) {
            if (System.nanoTime() - deadline > 0) {
                run("umount", point.toString());
            }
        }
    }

    /** Lets go on what is frozen, where it is. */
    public static void thaw(Path point) throws IOException {
        exit("fsfreeze", "--unfreeze", point.toString());
    }

    /** {@return whether a mounted file system is frozen} It is not for a moment. */
    public static boolean isFrozen(Path point) throws IOException {
        if (exit("fsfreeze", "--freeze", point.toString()) != 0) {
            return true;
        }
        thaw(point);
        return false;
    }

    /** Opens a node past the page cache. */
    public static FileChannel direct(String node) throws IOException {
        return FileChannel.open(Path.of(node), StandardOpenOption.READ,
                StandardOpenOption.WRITE, O_DIRECT);
    }

    /** Reads all that a buffer has room for. */
    public static void read(FileChannel in, ByteBuffer into, long at) throws IOException {
        while (into.hasRemaining()) {
            if (in.read(into, at + into.position()) < 0) {
                throw new IOException("the disk ends at " + at);
            }
        }
    }

    /** {@return how many pages of two disks differ, past the page cache} */
    public static long differing(FileChannel one, FileChannel other, long pages)
            throws IOException {
        ByteBuffer mine = LoopDisk.aligned(RUN_PAGES * PAGE);
        ByteBuffer theirs = LoopDisk.aligned(RUN_PAGES * PAGE);
        long differing = 0;
        for (long at = 0; at < pages; at += RUN_PAGES) {
            int count = (int) Math.min(RUN_PAGES, pages - at);
            read(one, mine.clear().limit(count * PAGE), at * PAGE);
            read(other, theirs.clear().limit(count * PAGE), at * PAGE);
            for (int i = 0; i < count; i++) {
                differing += mine.slice(i * PAGE, PAGE).mismatch(theirs.slice(i * PAGE, PAGE)) < 0
                        ? 0 : 1;
            }
        }
        return differing;
    }

    /** By name: the compiler warns of it, and that cannot be turned off. */
    private static OpenOption direct() {
        try {
            return (OpenOption) Class.forName("com.sun.nio.file.ExtendedOpenOption")
                    .getField("DIRECT").get(null);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    /** {@return memory that the kernel reads and writes directly} */
    public static ByteBuffer aligned(int bytes) {
        return ByteBuffer.allocateDirect(bytes + PAGE).order(ByteOrder.nativeOrder())
                .alignedSlice(PAGE).slice(0, bytes).order(ByteOrder.nativeOrder());
    }

    /** Runs a program that must end with 0. */
    public static String run(String... command) throws IOException {
        Process process = start(command);
        String said = new String(process.getInputStream().readAllBytes(),
                StandardCharsets.UTF_8);
        assertEquals(0, await(process, command), List.of(command) + ": " + said);
        return said;
    }

    private static int exit(String... command) throws IOException {
        Process process = start(command);
        process.getInputStream().readAllBytes();
        return await(process, command);
    }

    private static Process start(String... command) throws IOException {
        return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectInput(Path.of("/dev/null").toFile()).start();
    }

    private static int await(Process process, String... command) {
        try {
            if (!process.waitFor(Requirements.HANG.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(List.of(command) + " does not end");
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    @Override
    public void close() throws IOException {
        Throwable failed = null;
        while (!undo.isEmpty()) {
            try {
                undo.pop().run();
            } catch (IOException | AssertionError e) {
                failed = failed == null ? e : failed;
            }
        }
        if (failed != null) {
            throw new IOException("left behind: " + folder, failed);
        }
    }
}
