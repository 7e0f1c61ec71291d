package io.pageferry.agent.host.disk.freeze;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.LoopDisk;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FreezerTest {
    private static final long BYTES = 16 << 20;
    private static final long XFS_BYTES = 320 << 20;
    private static final BlockDevices HOST = BlockDevices.ofHost();

    /** An empty squashfs, which nobody can freeze. */
    private static final String SQUASHFS = ""
            + "aHNxcwEAAAD4QA1rAAACAAAAAAABABEAwAIBAAQAAAAAAAAAAAAAAJ0AAAAAAAAAlQAAAAAAAAD/"
            + "/////////2AAAAAAAAAAfQAAAAAAAAB9AAAAAAAAAIcAAAAAAAAAGwB42mNkeMvIAATfHXizwQwg"
            + "YAJiZigNAEM8AqcIgAAAAAAAAAAAfQAAAAAAAAAEgAAAAACPAAAAAAAAAA==";

    private static long soon() {
        return System.nanoTime() + Requirements.HANG.toNanos();
    }

    private static Freezer open(LoopDisk disk) throws IOException {
        return Freezer.open(HOST, List.of(disk.found().number()));
    }

    /** Writes a file, on a thread of its own: it may have to wait. */
    private static CompletableFuture<Void> write(Path file) {
        return CompletableFuture.runAsync(() -> {
            try {
                Files.writeString(file, "written");
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }, task -> Thread.ofPlatform().daemon().start(task));
    }

    /** The state of a frozen file system, by the kernel: a second freezing is refused. */
    private static boolean isFrozen(Path point) throws IOException {
        Process freeze = new ProcessBuilder("fsfreeze", "--freeze", point.toString())
                .redirectErrorStream(true).start();
        freeze.getInputStream().readAllBytes();
        if (freeze.onExit().join().exitValue() != 0) {
            return true;
        }
        LoopDisk.run("fsfreeze", "--unfreeze", point.toString());
        return false;
    }

    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs"})
    void writersWaitFromFreezeToThaw(String type) throws Exception {
        try (LoopDisk disk = LoopDisk.make(type.equals("xfs") ? XFS_BYTES : BYTES)) {
            Path point = disk.mount(disk.device(), type);
            try (Freezer freezer = open(disk)) {
                assertEquals(List.of(point), freezer.mountPoints());
                write(point.resolve("before")).get();
                freezer.sync(soon());
                freezer.freeze(soon());
                CompletableFuture<Void> waits = write(point.resolve("after"));
                assertTrue(isFrozen(point));
                freezer.requireFrozen(soon());
                assertFalse(waits.isDone());
                assertEquals(List.of(), freezer.unfreezable());
                freezer.thaw();
                waits.get();
                freezer.thaw();
            }
            assertFalse(isFrozen(point));
        }
    }

    /** A partition, and a disk in a file on it: what is above is frozen first. */
    @Test
    void whatStandsOnOthersIsFrozenFirst() throws Exception {
        try (LoopDisk disk = LoopDisk.make(4 * BYTES)) {
            Path below = disk.mount(disk.partition(2048, 120_000), "ext4");
            try (LoopDisk above = LoopDisk.makeOn(below, BYTES)) {
                Path point = above.mount(above.device(), "ext4");
                try (Freezer freezer = open(disk)) {
                    assertEquals(List.of(point, below), freezer.mountPoints());
                    freezer.freeze(soon());
                    assertTrue(isFrozen(below) && isFrozen(point));
                }
                assertFalse(isFrozen(below) || isFrozen(point));
            }
        }
    }

    /** Its disk hangs: that disk's file lies on what is frozen. */
    @Test
    void aFreezeThatHangsIsGivenUpAndUndone() throws Exception {
        try (LoopDisk disk = LoopDisk.make(4 * BYTES); LoopDisk other = LoopDisk.make(BYTES)) {
            Path below = disk.mount(disk.device(), "ext4");
            Path second = other.mount(other.device(), "ext4");
            try (LoopDisk above = LoopDisk.makeOn(below, BYTES)) {
                Path point = above.mount(above.device(), "ext4");
                Freezer freezer = Freezer.open(HOST, List.of(other.found().number(),
                        above.found().number()));
                assertEquals(2, freezer.mountPoints().size());
                write(point.resolve("dirty")).get();
                LoopDisk.run("fsfreeze", "--freeze", below.toString());
                IOException e = assertThrows(IOException.class,
                        () -> freezer.freeze(System.nanoTime() + 500_000_000L));
                assertTrue(e.getMessage().startsWith(point + ": "), e.getMessage());
                assertFalse(isFrozen(second));
                freezer.close();
                LoopDisk.run("fsfreeze", "--unfreeze", below.toString());
                write(point.resolve("goes on")).get();
                assertFalse(isFrozen(point));
            }
        }
    }

    @Test
    void whatWasMountedMeanwhileEndsTheFreeze() throws Exception {
        try (LoopDisk disk = LoopDisk.make(4 * BYTES)) {
            String part = disk.partition(2048, 60_000);
            try (Freezer freezer = open(disk)) {
                Path point = disk.mount(part, "ext4");
                IOException e = assertThrows(IOException.class, () -> freezer.freeze(soon()));
                assertTrue(e.getMessage().contains("mounted meanwhile"), e.getMessage());
                assertFalse(isFrozen(point));
            }
        }
    }

    @Test
    void whatSomebodyElseFrozeIsRefusedAndLeft() throws Exception {
        try (LoopDisk disk = LoopDisk.make(BYTES)) {
            Path point = disk.mount(disk.device(), "ext4");
            LoopDisk.run("fsfreeze", "--freeze", point.toString());
            try (Freezer freezer = open(disk)) {
                IOException e = assertThrows(IOException.class, () -> freezer.freeze(soon()));
                assertTrue(e.getMessage().contains("somebody else"), e.getMessage());
            }
            assertTrue(isFrozen(point));
        }
    }

    @Test
    void whatWasThawedBeforeTheTimeIsTold() throws Exception {
        try (LoopDisk disk = LoopDisk.make(BYTES)) {
            Path point = disk.mount(disk.device(), "ext4");
            try (Freezer freezer = open(disk)) {
                freezer.freeze(soon());
                LoopDisk.run("fsfreeze", "--unfreeze", point.toString());
                IOException e = assertThrows(IOException.class,
                        () -> freezer.requireFrozen(soon()));
                assertTrue(e.getMessage().contains("thawed before the time"), e.getMessage());
                assertFalse(isFrozen(point));
            }
        }
    }

    /** Another mount namespace has it. */
    @Test
    void whatIsMountedOutOfSightIsRefused() throws Exception {
        try (LoopDisk disk = LoopDisk.make(BYTES)) {
            LoopDisk.run("mkfs.ext4", "-q", "-F", disk.device());
            Path point = Files.createTempDirectory("pageferry-elsewhere-");
            Process elsewhere = new ProcessBuilder("unshare", "--mount", "sh", "-c",
                    "mount " + disk.device() + " " + point + " && echo mounted && read end")
                    .redirectErrorStream(true).start();
            try {
                assertEquals("mounted", elsewhere.inputReader().readLine());
                IOException e = assertThrows(IOException.class, () -> open(disk));
                assertTrue(e.getMessage().contains("does not see"), e.getMessage());
            } finally {
                elsewhere.getOutputStream().close();
                elsewhere.onExit().join();
                Files.delete(point);
            }
            Stranger.await("the end of the mount", () -> isFree(disk));
        }
    }

    private static boolean isFree(LoopDisk disk) {
        try (Freezer freezer = open(disk)) {
            return freezer.mountPoints().isEmpty();
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void whatThisProcessWritesOrNeedsIsRefused() throws Exception {
        try (LoopDisk disk = LoopDisk.make(BYTES)) {
            Path point = disk.mount(disk.device(), "ext4");
            Path file = point.resolve("log");
            try (FileChannel log = FileChannel.open(file, StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE, StandardOpenOption.READ)) {
                log.write(ByteBuffer.allocate(LoopDisk.PAGE));
                refusesFor(disk, file);
            }
            try (Arena arena = Arena.ofShared()) {
                try (FileChannel log = FileChannel.open(file, StandardOpenOption.WRITE,
                        StandardOpenOption.READ)) {
                    log.map(FileChannel.MapMode.READ_WRITE, 0, 1, arena);
                }
                refusesFor(disk, file);
            }
            try (Freezer freezer = open(disk)) {
                IOException e = assertThrows(IOException.class,
                        () -> freezer.requireElsewhere(point, "the state directory"));
                assertTrue(e.getMessage().contains("would be frozen"), e.getMessage());
                freezer.requireElsewhere(Path.of("/dev/shm"), "the state directory");
            }
        }
    }

    private static void refusesFor(LoopDisk disk, Path file) {
        IOException e = assertThrows(IOException.class, () -> open(disk));
        assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    }

    /** It goes on being written, and the report says so. */
    @Test
    void whatCannotBeFrozenIsNamed() throws Exception {
        try (LoopDisk disk = LoopDisk.make(BYTES)) {
            Files.write(Path.of(disk.device()), Base64.getDecoder().decode(SQUASHFS));
            Path point = disk.mountMade(disk.device());
            try (Freezer freezer = open(disk)) {
                freezer.freeze(soon());
                assertEquals(List.of(point.toString()), freezer.unfreezable());
            }
        }
        try (LoopDisk disk = LoopDisk.make(BYTES)) {
            LoopDisk.run("mkswap", disk.device());
            LoopDisk.run("swapon", "--priority", "0", disk.device());
            try (Freezer freezer = open(disk)) {
                assertEquals(List.of("swap " + disk.device()), freezer.unfreezable());
            } finally {
                LoopDisk.run("swapoff", disk.device());
            }
        }
    }

    /** As a guard does: by the text of a record. */
    @Test
    void anotherProcessCanThawByTheRecord() throws Exception {
        try (LoopDisk disk = LoopDisk.make(BYTES)) {
            Path point = disk.mount(disk.device(), "ext4");
            try (Freezer freezer = open(disk)) {
                String text = freezer.record(Duration.ofSeconds(7)).text();
                freezer.freeze(soon());
                CompletableFuture<Void> waits = write(point.resolve("after"));
                FrozenMounts read = FrozenMounts.parse(text);
                assertEquals(Duration.ofSeconds(7), read.limit());
                try (Thawer thawer = Thawer.open(read)) {
                    assertEquals(List.of(point), thawer.thaw());
                    assertEquals(List.of(), thawer.thaw());
                }
                waits.get();
            }
        }
    }
}
