package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.RoughProxy.Harm;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Disks that nobody writes to are moved from device to device, and in the ways that go wrong. */
@Tag("full")
class ColdDiskTest extends WithRig {
    private static final int MIB = 1 << 20;
    private static final int SECTOR = 512;
    /** No multiple of a page: its last sector is in a page of its own. */
    private static final long DISK = 48L * MIB + SECTOR;
    private static final int FILLED = 20 * MIB;
    private static final int MIGRATIONS = Draw.FULL ? 4 : 1;
    private static final int CUTS = Draw.FULL ? 5 : 3;

    private final ArrayDeque<LoopDevice> devices = new ArrayDeque<>();

    @AfterEach
    void detach() throws IOException {
        rig.close();
        while (!devices.isEmpty()) {
            devices.pop().close();
        }
    }

    private LoopDevice loop(String name, long bytes, int noise) throws IOException {
        return keep(LoopDevice.of(folder.resolve(name), bytes, noise));
    }

    private LoopDevice keep(LoopDevice one) {
        devices.push(one);
        return one;
    }

    /** The target's last sector, and all that it had before. */
    @Test
    void aDiskIsTheSameToTheLastByteAndNothingBehindItIsTouched() throws IOException {
        LoopDevice source = loop("source", DISK, FILLED);
        try (FileChannel last = FileChannel.open(source.file(),
                StandardOpenOption.WRITE)) {
            last.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), DISK - 3);
        }
        int larger = (int) DISK + 2 * MIB;
        LoopDevice target = loop("target", larger, larger);
        byte[] behind = bytes(target.file(), DISK, larger);
        long flushed = flushes(target);
        Agent receiver = receive("disk:" + target);
        Agent sender = migrate("disk:" + source, receiver.address());
        E2e.assertMoved(sender, receiver);
        // The first MiB of zeros, all but the first MiB, all.
        assertTrue(flushes(target) - flushed >= 3, "not on the medium");
        DiskGuest.run("cmp", "-n", Long.toString(DISK), source.toString(), target.toString());
        assertArrayEquals(behind, bytes(target.file(), DISK, larger));
        assertEquals(DISK, sender.report().at("/guest/regions/0/size").asLong());
        assertEquals(2, sender.report().path("rounds").size(), "nobody writes");
        assertEquals("none", sender.report().path("tracker").asText());
        assertTrue(receiver.words().contains("2097152 bytes more"), receiver::toString);
        rig.awaitNothingLeft();
    }

    /** See Documentation/block/stat.rst of the kernel. */
    private static long flushes(LoopDevice loop) throws IOException {
        return Long.parseLong(Files.readString(Path.of("/sys/block/"
                + loop.device().getFileName() + "/stat")).strip().split("\\s+")[15]);
    }

    /** Two at once: a file, whose holes stay holes, and a device. */
    @Test
    void filesAndDevicesMoveTogether() throws IOException {
        Path file = LoopDevice.file(folder.resolve("file"), 9L * MIB + 700, 3 * MIB);
        LoopDevice device = loop("device", 4L * MIB, MIB);
        Path target = LoopDevice.file(folder.resolve("target"), 9L * MIB + 700, 0);
        LoopDevice other = loop("other", 4L * MIB, 3 * MIB);
        Agent receiver = receive("disk:" + target + "," + other);
        Agent sender = migrate("disk:" + file + "," + device, receiver.address());
        E2e.assertMoved(sender, receiver);
        DiskGuest.run("cmp", file.toString(), target.toString());
        DiskGuest.run("cmp", device.toString(), other.toString());
        assertTrue(((Number) Files.getAttribute(target, "unix:size")).longValue() == 9L * MIB + 700
                && stored(target) < 4L * MIB, stored(target) + " bytes stored");
    }

    private static long stored(Path file) throws IOException {
        return Long.parseLong(DiskGuest.run("stat", "-c", "%b", file.toString()).strip()) * SECTOR;
    }

    @Test
    void aCableThatIsCutAgainAndAgainLosesNothing() throws IOException {
        LoopDevice source = loop("source", DISK, FILLED);
        LoopDevice target = loop("target", DISK, (int) DISK);
        int cuts = 0;
        for (int seed = 1; seed <= MIGRATIONS; seed++) {
            List<Harm> harms = seed % 2 == 0
                    ? List.of(Harm.DROP, Harm.CORRUPT, Harm.TRUNCATE, Harm.DROP, Harm.TRUNCATE)
                    : List.of(Harm.TRUNCATE, Harm.DROP, Harm.CORRUPT, Harm.DROP, Harm.DROP);
            Agent receiver = receive("disk:" + target, "--reconnect-window", "20s");
            try (RoughProxy proxy = new RoughProxy(receiver.address(), seed,
                    harms.subList(0, CUTS), 3 * MIB)) {
                Agent sender = migrate("disk:" + source, proxy.address(), "--reconnect-window",
                        "20s", "--codec", "none");
                E2e.assertMoved(sender, receiver);
                assertTrue(sender.report().path("reconnects").asInt() >= CUTS - 1,
                        sender::toString);
                cuts += proxy.done().size();
            }
            DiskGuest.run("cmp", source.toString(), target.toString());
        }
        assertEquals(MIGRATIONS * CUTS, cuts);
    }

    @Test
    void aTargetOneSectorShortIsRefusedBeforeAnythingIsWritten() throws IOException {
        LoopDevice source = loop("source", DISK, FILLED);
        LoopDevice target = loop("target", DISK - SECTOR, MIB);
        byte[] before = bytes(target.file(), 0, 2 * MIB);
        Agent receiver = receive("disk:" + target);
        Agent sender = migrate("disk:" + source, receiver.address());
        E2e.assertEnds(3, "refused", sender);
        assertTrue(sender.report().at("/error/reason").asText().contains("512 more"),
                sender::toString);
        // A second move into it, and one of it, while it is held.
        Agent second = rig.start("", List.of("receive", "disk:" + target, "--listen",
                "127.0.0.1:0"));
        E2e.assertEnds(3, "refused", second);
        assertTrue(second.report().at("/error/reason").asText().contains(target.toString()),
                second::toString);
        assertArrayEquals(before, bytes(target.file(), 0, 2 * MIB));
    }

    /** A device that has no room any more answers in the middle of the move. */
    @Test
    void aTargetThatFailsInTheMiddleIsUnfinishedAndSaysSo() throws IOException {
        LoopDevice source = loop("source", DISK, FILLED);
        FullDisk store = FullDisk.mount(folder.resolve("store"), "12m");
        try {
            LoopDevice target = keep(LoopDevice.of(store.folder().resolve("target"), DISK, MIB));
            Agent receiver = receive("disk:" + target);
            Agent sender = migrate("disk:" + source, receiver.address());
            E2e.assertEnds(4, "failed", sender);
            E2e.assertEnds(4, "failed", receiver);
            for (Agent one : List.of(sender, receiver)) {
                assertTrue(one.report().at("/error/reason").asText()
                        .contains(target + ": "), one::toString);
                assertEquals("source", one.report().at("/owner/side").asText());
            }
            assertUnfinished(receiver, target);
            rig.awaitNothingLeft();
        } finally {
            rig.close();
            detach();
            store.close();
        }
    }

    private static void assertUnfinished(Agent receiver, LoopDevice target) throws IOException {
        assertTrue(receiver.report().at("/error/remedy").asText()
                .contains("unfinished and cannot boot"), receiver::toString);
        assertBlank(target);
    }

    private static void assertBlank(LoopDevice target) throws IOException {
        assertArrayEquals(new byte[MIB], bytes(target.device(), 0, MIB));
    }

    /** Behind the end of its file a device that reads directly has nothing to read. */
    @Test
    void whatCannotBeReadEndsTheMoveOrIsCounted() throws IOException {
        Path file = LoopDevice.file(folder.resolve("source"), 8L * MIB, 8 * MIB);
        LoopDevice source = keep(LoopDevice.over(file, "--direct-io=on"));
        try (RandomAccessFile shorter = new RandomAccessFile(file.toFile(), "rw")) {
            shorter.setLength(8L * MIB - 8192);
        }
        LoopDevice target = loop("target", 8L * MIB, 8 * MIB);
        Agent receiver = receive("disk:" + target);
        Agent sender = migrate("disk:" + source, receiver.address());
        E2e.assertEnds(4, "failed", sender);
        assertTrue(sender.report().at("/error/reason").asText().contains(source + " sector "
                + (8L * MIB - 8192) / SECTOR), sender::toString);
        E2e.assertEnds(4, "failed", receiver);
        assertUnfinished(receiver, target);
        Agent again = receive("disk:" + target);
        Agent zero = migrate("disk:" + source, again.address(), "--on-read-error", "zero");
        E2e.assertMoved(zero, again);
        assertEquals(2, zero.report().at("/unread/pages").asInt(), zero::toString);
        assertTrue(zero.report().at("/unread/places/0").asText().contains(source + " sector "),
                zero::toString);
        assertTrue(zero.words().contains("moved as zeros"), zero.words());
        assertArrayEquals(new byte[8192], bytes(target.device(), 8L * MIB - 8192, 8 * MIB));
        assertArrayEquals(bytes(file, 0, MIB), bytes(target.device(), 0, MIB));
    }

    /** Complete, proved, and not granted: whoever finishes what it began makes it unbootable. */
    @Test
    void aTargetThatDiesReadyLeavesADiskThatCannotBoot() throws IOException {
        LoopDevice source = loop("source", 8L * MIB, 6 * MIB);
        LoopDevice target = loop("target", 8L * MIB, 8 * MIB);
        Agent receiver = rig.start("ready", List.of("receive", "disk:" + target, "--listen",
                "127.0.0.1:0", "--once"));
        Agent sender = migrate("disk:" + source, receiver.address(), "--reconnect-window", "2s");
        receiver.awaitHold("ready");
        assertArrayEquals(bytes(source.device(), 0, MIB), bytes(target.device(), 0, MIB));
        receiver.kill();
        assertEquals(4, sender.exit(), sender::toString);
        Poll.until(() -> Arrays.equals(new byte[MIB], bytes(target.device(), 0, MIB)),
                () -> "the guard leaves a disk that boots");
        rig.awaitNothingLeft();
    }

    private static byte[] bytes(Path file, long from, long to) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            in.skipNBytes(from);
            return in.readNBytes((int) (to - from));
        }
    }
}
