package io.pageferry.agent.guest.qemu.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class QemuFactsTest {
    private static final QemuFacts FACTS = new QemuFacts("vm", "7.2.22", "pc-i440fx-7.2", "tcg",
            "qemu64-x86_64-cpu", "abc", 2,
            List.of(new QemuFacts.Backend("ram", "memory-backend-file", 512L << 20, true,
                    "/dev/shm/x", 4096)),
            new TreeMap<>(Map.of("net0", "virtio-net-pci", "#device[0]", "VGA")),
            new TreeMap<>(Map.of("smp", "2,sockets=1", "slot.net0", "/machine/i440fx/pci.0 0x3.0",
                    "board.isa-serial", "1", "user-networks", "1")),
            new TreeMap<>(Map.of("pc.bios", 262144L)), List.of(
                    new QemuFacts.Drive("d0", "blk0", "/disk", "raw", 4096, false, false, false),
                    new QemuFacts.Drive("cd0", "cd0", "", "", 0, true, false, false)));

    private static List<QemuFacts.Difference> changed(String key, String value) {
        Map<String, String> target = new TreeMap<>(FACTS.asMap());
        if (value == null) {
            target.remove(key);
        } else {
            target.put(key, value);
        }
        return QemuFacts.compare(FACTS.asMap(), target);
    }

    private static void assertMended(String key, String value, String remedy) {
        List<QemuFacts.Difference> found = changed(key, value);
        assertEquals(1, found.size(), found.toString());
        assertTrue(found.getFirst().toString().contains(remedy), found.toString());
    }

    @Test
    void equalMachinesDoNotDiffer() {
        assertEquals(List.of(), QemuFacts.compare(FACTS.asMap(), FACTS.asMap()));
        assertEquals(512L << 20, FACTS.memoryBytes());
    }

    @Test
    void everyDifferenceNamesTheOption() {
        assertMended("qemu.machine", "pc-q35-7.2", "-machine pc-i440fx-7.2");
        assertMended("qemu.accelerator", "kvm", "-accel tcg");
        assertMended("qemu.cpu", "max-x86_64-cpu", "-cpu qemu64");
        assertMended("qemu.cpu-features", "abd", "same named -cpu model");
        assertMended("qemu.vcpus", "1", "-smp 2");
        assertMended("qemu.memory.ram", "1", "-m, or -object memory-backend-…,id=ram,size="
                + 536870912);
        assertMended("qemu.memory.ram", null, "-m, or -object memory-backend-…,id=ram,size="
                + 536870912);
        assertMended("qemu.memory.more", "7", "leave -object memory-backend-…,id=more out");
        assertMended("qemu.device.net0", null, "-device virtio-net-pci,id=net0");
        assertMended("qemu.device.net0", null, "with all that the source's has (drive=, netdev=");
        assertMended("qemu.device.net1", "e1000", "leave -device e1000 out");
        assertMended("qemu.smp", "2,sockets=2", "-smp 2,sockets=1");
        assertMended("qemu.slot.net0", "/machine/i440fx/pci.0 0x4.0", "bus=pci.0,addr=0x3.0");
        assertMended("qemu.block.pc.bios", "131072", "ROM files");
        assertMended("qemu.user-networks", "0", "-netdev user");
        assertMended("qemu.board.isa-serial", "2", "with as many isa-serial as the source");
        assertMended("qemu.board.isa-parallel", "1", "(-serial, -parallel");
        assertMended("qemu.drive.blk0", null, "the source's -drive or -blockdev");
        assertMended("qemu.drive.blk1", "8 bytes, writable", "leave the disk blk1 out");
        assertMended("qemu.drive.cd0", "8 bytes, read-only", "with its medium");
        assertMended("qemu.drive.blk0", "8 bytes, writable", "--copy-storage");
        assertMended("qemu.format.blk0", "qcow2", "name the same image on both sides");
    }

    @Test
    void aTargetMayHaveAUserNetworkThatTheSourceHasNot() {
        Map<String, String> source = new TreeMap<>(FACTS.asMap());
        source.put("qemu.user-networks", "0");
        assertEquals(List.of(), QemuFacts.compare(source, FACTS.asMap()));
    }

    @Test
    void aNewerQemuMayBuildTheBoardFromOtherParts() {
        Map<String, String> target = new TreeMap<>(FACTS.asMap());
        target.put("qemu.board.isa-serial", "2");
        target.put("qemu.version", "7.2.0");
        assertEquals(1, QemuFacts.compare(FACTS.asMap(), target).size());
        target.put("qemu.version", "8.0.0");
        assertEquals(List.of(), QemuFacts.compare(FACTS.asMap(), target));
    }

    @Test
    void whoTakesACopiedDiskLooksAtItHimself() {
        Map<String, String> source = new TreeMap<>(FACTS.asMap());
        source.put("storage.d0", "4096");
        Map<String, String> target = new TreeMap<>(FACTS.asMap());
        target.put("qemu.drive.blk0", "8 bytes, writable");
        assertEquals(List.of(), QemuFacts.compare(source, target));
        target.put("qemu.drive.cd0", "8 bytes, read-only");
        target.put("qemu.drive.blk1", "8 bytes, writable");
        assertEquals(2, QemuFacts.compare(source, target).size());
    }

    @Test
    void anotherFileIsToldWhereBothSidesKnowIt() {
        assertEquals(List.of(), changed("qemu.image.blk0", "inode 7"));
        Map<String, String> source = new TreeMap<>(FACTS.asMap());
        Map<String, String> target = new TreeMap<>(FACTS.asMap());
        source.put("qemu.image.blk0", "inode 7");
        target.put("qemu.image.blk0", "inode 8");
        List<QemuFacts.Difference> found = QemuFacts.compare(source, target);
        assertEquals(1, found.size());
        assertTrue(found.getFirst().remedy().contains("--copy-storage"), found.toString());
    }

    @Test
    void aTargetMayBeNewerButNotOlder() {
        assertEquals(List.of(), changed("qemu.version", "10.1.0"));
        assertEquals(List.of(), changed("qemu.version", "7.2.0"));
        assertMended("qemu.version", "7.1.9", "use QEMU 7.2.22 or newer");
        assertMended("qemu.version", "junk", "use QEMU 7.2.22 or newer");
    }

    @Test
    void whatOneSideCannotTellIsNoDifference() {
        assertEquals(List.of(), changed("qemu.cpu-features", null));
        assertEquals(List.of(), changed("qemu.block.pc.bios", null));
        assertEquals(List.of(), changed("qemu.smp", null));
        assertEquals(List.of(), changed("qemu.slot.net0", null));
        assertEquals(List.of(), changed("qemu.board.isa-serial", null));
        assertEquals(List.of(), changed("qemu.format.blk0", null));
        assertEquals(List.of(), changed("something.else", "1"));
    }
}
