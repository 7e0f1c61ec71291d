package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.disk.freeze.DiskWriter;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.block.LoopDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Machines whose disks are named: this host itself is never moved. Each is kept or thawed; what is
 * usual, to power it off, would be this host.
 */
class MachineMoveTest extends WithRig {
    private static final long MIB = 1 << 20;
    private static final int FIRST_SECTOR = 2048;
    /** Writes "up" to the serial port, and halts: {@code mov dx,3f8h; mov al,…; out dx,al}. */
    private static final byte[] BOOTS = {(byte) 0xba, (byte) 0xf8, 3, (byte) 0xb0, 'u',
        (byte) 0xee, (byte) 0xb0, 'p', (byte) 0xee, (byte) 0xb0, '\n', (byte) 0xee, (byte) 0xf4,
        (byte) 0xeb, (byte) 0xfd};

    private static String machine(LoopDisk... disks) {
        return "machine:?disks=" + String.join(",", Stream.of(disks).map(LoopDisk::device)
                .toList());
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private static String reason(Agent agent) throws IOException {
        return agent.report().at("/error/reason").asText();
    }

    private static void assertSame(LoopDisk source, Path image) throws IOException {
        try (FileChannel one = LoopDisk.direct(source.device());
                FileChannel other = FileChannel.open(image, StandardOpenOption.READ)) {
            assertEquals(source.found().pages() * LoopDisk.PAGE, Files.size(image));
            assertEquals(0, LoopDisk.differing(one, other, source.found().pages()));
        }
    }

    /** Two disks, one of them written while it moves; and nothing comes where something is. */
    @Test
    void aMachineThatIsWrittenArrivesAsItWasFrozen() throws Exception {
        Requirements.blockTracking();
        try (LoopDisk root = LoopDisk.make(64 * MIB + FIRST_SECTOR * 512L);
                LoopDisk data = LoopDisk.make(16 * MIB)) {
            Path point = root.mount(root.partition(FIRST_SECTOR, (int) (64 * MIB / 512)), "ext4");
            Path into = folder.resolve("machine");
            try (DiskWriter writer = new DiskWriter(point, Requirements.seed())) {
                try {
                    Agent receiver = receive("machine:" + into + "?format=raw");
                    Agent sender = migrate(machine(root, data), receiver.address(),
                            "--max-downtime", "2s", "--after", "keep");
                    E2e.assertMoved(sender, receiver);
                    assertTrue(writer.safe() >= 0);
                    assertEquals("machine", sender.report().at("/guest/kind").asText());
                    assertTrue(LoopDisk.isFrozen(point), sender::toString);
                    assertSame(root, into.resolve("disk0.raw"));
                    assertSame(data, into.resolve("disk1.raw"));
                } finally {
                    LoopDisk.thaw(point);
                }
            }
            assertEquals("rwx------", mode(into));
            assertEquals("rw-------", mode(into.resolve("disk0.raw")));
            assertEquals("rw-------", mode(into.resolve("machine.json")));
            assertEquals("rwx------", mode(into.resolve("qemu.sh")));
            try (Stream<Path> all = Files.list(into)) {
                assertEquals(List.of("disk0.raw", "disk1.raw", "machine.json", "machine.xml",
                        "qemu.sh"), all.map(file -> file.getFileName().toString()).sorted()
                        .toList());
            }
            Agent again = rig.start("", List.of("receive", "machine:" + into, "--listen",
                    "127.0.0.1:0", "--once"));
            E2e.assertEnds(3, "refused", again);
            assertTrue(reason(again).contains("is not empty: disk0.raw"), again::toString);
        }
    }

    /** Where there is no room, and where it would have to stand for a moment to be moved. */
    @Test
    void whatHasNoRoomIsRefusedInNumbers() throws Exception {
        try (LoopDisk small = LoopDisk.make(16 * MIB); LoopDisk large = LoopDisk.make(32 * MIB)) {
            Path into = small.mount(small.device(), "ext4").resolve("machine");
            Agent receiver = receive("machine:" + into);
            Agent sender = migrate(machine(large), receiver.address(), "--after", "keep");
            E2e.assertEnds(3, "refused", sender);
            assertTrue(reason(sender).contains("the machine's disks have 32 MiB, and "),
                    sender::toString);
            assertFalse(Files.exists(into));
            Agent usual = migrate(machine(large), receiver.address());
            E2e.assertEnds(3, "refused", usual);
            assertTrue(usual.report().at("/error/remedy").asText().contains("--after keep"),
                    usual::toString);
        }
    }

    /** What came of a move that ends goes again, and the folder with it. */
    @Test
    void whatIsNotGrantedLeavesNothing() throws Exception {
        try (LoopDisk disk = LoopDisk.make(16 * MIB)) {
            Path into = folder.resolve("machine");
            Agent receiver = receive("machine:" + into);
            Agent sender = rig.start("round 0", List.of("migrate", machine(disk), "--to",
                    receiver.address(), "--after", "keep"));
            sender.awaitHold("round 0");
            assertTrue(Files.exists(into.resolve("disk0.qcow2")), receiver::toString);
            sender.kill();
            E2e.assertEnds(4, "failed", receiver);
            assertFalse(Files.exists(into), receiver::toString);
        }
    }

    @Test
    void aMachineThatArrivedBoots() throws Exception {
        try (LoopDisk disk = LoopDisk.make(MIB)) {
            byte[] sector = new byte[512];
            System.arraycopy(BOOTS, 0, sector, 0, BOOTS.length);
            sector[510] = 0x55;
            sector[511] = (byte) 0xaa;
            try (FileChannel to = FileChannel.open(Path.of(disk.device()),
                    StandardOpenOption.WRITE)) {
                to.write(ByteBuffer.wrap(sector));
                to.force(true);
            }
            Path into = folder.resolve("machine");
            Agent receiver = receive("machine:" + into, "--start");
            Agent whole = migrate(machine(disk), receiver.address(), "--after", "keep");
            E2e.assertEnds(3, "refused", whole);
            assertTrue(reason(whole).contains(" MiB of memory here"), whole::toString);
            Agent sender = rig.start(new Agent.Start(smallHost(), List.of(), List.of("migrate",
                    machine(disk), "--to", receiver.address(), "--after", "keep"), ""));
            try {
                E2e.assertMoved(sender, receiver);
                Poll.until(() -> Files.readString(into.resolve("serial.log"),
                        StandardCharsets.ISO_8859_1).contains("up"), receiver::toString);
            } finally {
                end(into.resolve("qemu.pid"));
            }
        }
    }

    /** This host does not fit into itself: the command is to see one of 64 MiB. */
    private List<String> smallHost() throws IOException {
        Path memory = Files.writeString(folder.resolve("meminfo"), "MemTotal: 65536 kB\n");
        return List.of("unshare", "--mount", "sh", "-c", "mount -t tmpfs none"
                + " /sys/devices/system/memory && mount --bind \"$0\" /proc/meminfo"
                + " && exec \"$@\"", memory.toString());
    }

    private static void end(Path pidFile) throws IOException {
        if (Files.exists(pidFile)) {
            ProcessHandle.of(Long.parseLong(Files.readString(pidFile).strip()))
                    .ifPresent(ProcessHandle::destroyForcibly);
        }
    }
}
