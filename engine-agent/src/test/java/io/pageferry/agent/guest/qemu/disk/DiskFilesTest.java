package io.pageferry.agent.guest.qemu.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoMachine.Memory;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a source's QEMU loads without a word although the guest would lose a disk by it. The QEMUs
 * all wait for a guest: none locks an image.
 */
class DiskFilesTest {
    @TempDir
    Path folder;

    private int count;

    private Path image(String name, long size) throws IOException {
        Path image = folder.resolve(name);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(size);
        }
        return image;
    }

    private Map<String, String> facts(String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(more));
        // Some room for numbers of the command line's own.
        arguments.addAll(List.of("-device", "virtio-rng-pci"));
        DemoMachine machine = new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, 192L << 20,
                1, Memory.FILE, arguments);
        try (DemoQemu qemu = DemoQemu.target(machine, folder.resolve("vm" + count++));
                QemuControl control = qemu.control()) {
            QemuFacts facts = QemuProbe.read(control);
            Map<String, String> all = facts.asMap();
            all.putAll(DiskFiles.attributes(qemu.process().pid(), facts.drives()));
            return all;
        }
    }

    private static List<String> differences(Map<String, String> source,
            Map<String, String> target) {
        return QemuFacts.compare(source, target).stream().map(QemuFacts.Difference::what)
                .toList();
    }

    private static String[] disks(Path first, String more, Path second, String id, String medium) {
        return new String[] {
            "-drive", "if=ide,index=0,format=raw,file=" + first + more,
            "-drive", "if=ide,index=2,media=cdrom" + medium,
            "-drive", "if=none,format=raw,file=" + second + ",id=" + id,
            "-device", "virtio-blk-pci,id=blk0,drive=" + id};
    }

    @Test
    void anotherDiskIsToldFromTheSame() throws IOException {
        Path one = image("one", 1 << 20);
        Path two = image("two", 1 << 20);
        String medium = ",format=raw,readonly=on,file=" + image("cd", 1 << 20);
        Map<String, String> source = facts(disks(one, "", two, "d0", medium));
        assertEquals("1048576 bytes, writable", source.get("qemu.drive.ide0-hd0"));
        assertEquals("1048576 bytes, read-only", source.get("qemu.drive.ide1-cd0"));

        // By another path, and under a name that only its host knows.
        Path link = Files.createSymbolicLink(folder.resolve("link"), two);
        assertEquals(List.of(), differences(source, facts(disks(one, "", link, "d1", medium))));

        // A file of its own, what is thrown away at the end, and an empty drive.
        assertEquals(List.of("qemu.drive.ide1-cd0", "qemu.format.ide0-hd0", "qemu.image.blk0",
                "qemu.image.ide0-hd0"), differences(source, facts(disks(one, ",snapshot=on",
                image("own", 1 << 20), "d0", ""))));

        // No device of the command line: neither the disk nor the CD.
        List<String> less = differences(source, facts("-device", "virtio-blk-pci,id=blk0,drive=d0",
                "-drive", "if=none,format=raw,id=d0,file=" + image("large", 2 << 20)));
        assertEquals(List.of("qemu.board.ide-cd", "qemu.board.ide-hd", "qemu.drive.blk0",
                "qemu.drive.ide0-hd0", "qemu.drive.ide1-cd0", "qemu.image.blk0"), less);
    }

    /** It would be copied onto itself, where no lock of QEMU's forbids it. */
    @Test
    void aDiskOfBothSidesIsNotCopied() throws IOException {
        Path image = image("both", 1 << 20);
        Map<String, String> source = new HashMap<>(facts(disk(image)));
        Map<String, String> same = facts(disk(image));
        DiskFiles.requireOthers(source, same);
        source.put("storage.d0", "1048576");
        List<Path> names = List.of(image, Files.createSymbolicLink(folder.resolve("symbolic"),
                image), Files.createLink(folder.resolve("hard"), image));
        for (Path name : names) {
            Map<String, String> target = facts(disk(name));
            GuestException refused = assertThrows(GuestException.class,
                    () -> DiskFiles.requireOthers(source, target), name::toString);
            assertTrue(refused.getMessage().contains("the disk d0 in the same file"),
                    refused::getMessage);
        }
        DiskFiles.requireOthers(source, facts(disk(image("another", 1 << 20))));
        DiskFiles.forget(source);
        DiskFiles.requireOthers(source, same);
    }

    private static String[] disk(Path image) {
        return new String[] {"-drive", "if=none,format=raw,id=d0,file.locking=off,file=" + image,
            "-device", "virtio-blk-pci,id=d0,drive=d0"};
    }

    /** Its content is in the device state, and QEMU writes it into whatever file is there. */
    @Test
    void aFlashMemoryMayBeAnotherFile() throws IOException {
        Map<String, String> source = facts(flash(image("code", 1 << 20), image("here", 1 << 18)));
        assertEquals("262144 bytes, writable", source.get("qemu.drive.pflash1"));
        assertEquals(List.of(), differences(source,
                facts(flash(folder.resolve("code"), image("there", 1 << 18)))));
    }

    private static String[] flash(Path code, Path variables) {
        return new String[] {"-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + code,
            "-drive", "if=pflash,unit=1,format=raw,file=" + variables};
    }
}
