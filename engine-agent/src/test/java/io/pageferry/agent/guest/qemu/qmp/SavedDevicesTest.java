package io.pageferry.agent.guest.qemu.qmp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoMachine.Memory;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.e2e.Sampled;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real QEMU with a disk, whose lock shows who has it. */
@Sampled
class SavedDevicesTest {
    @TempDir
    Path folder;

    private DemoMachine machine(String... more) {
        return new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, 192L << 20, 1, Memory.PLAIN,
                List.of(more));
    }

    private String drive() throws IOException {
        Path disk = folder.resolve("disk");
        try (RandomAccessFile image = new RandomAccessFile(disk.toFile(), "rw")) {
            image.setLength(1 << 20);
        }
        return "file=" + disk + ",format=raw,if=virtio,file.locking=on";
    }

    private boolean holdsDisk(DemoQemu qemu) throws IOException {
        try (var descriptors = Files.list(Path.of("/proc/" + qemu.process().pid() + "/fdinfo"))) {
            for (Path one : (Iterable<Path>) descriptors::iterator) {
                if (Files.readString(one).matches("(?s).*OFDLCK.* 201 201\n.*")) {
                    return true;
                }
            }
            return false;
        }
    }

    /** And a second save, of images that were given up, does not abort QEMU. */
    @Test
    void savingGivesTheDisksUpAndContTakesThemAgain() throws IOException {
        try (DemoQemu qemu = DemoQemu.source(machine("-drive", drive()), folder.resolve("vm"));
                QemuControl control = qemu.control()) {
            assertTrue(SavedDevices.arePossible(control, "pc-i440fx-7.2"));
            assertFalse(SavedDevices.arePossible(control, "pc-i440fx-2.3"));
            control.stop();
            assertTrue(holdsDisk(qemu));
            Path state = folder.resolve("state");
            SavedDevices.save(control, state, true, QmpClient.COMMAND_LIMIT);
            assertTrue(Files.size(state) > 1000);
            assertEquals(RunState.PAUSED, control.status().state());
            assertTrue(SavedDevices.isMarked(control));
            assertFalse(holdsDisk(qemu));
            SavedDevices.save(control, state, false, QmpClient.COMMAND_LIMIT);
            assertTrue(control.cont().running());
            assertTrue(holdsDisk(qemu));
            SavedDevices.unmark(control);
            assertFalse(SavedDevices.isMarked(control));
            assertTrue(control.status().running());
        }
    }

    /** Such a device asks nobody for a blocker: QEMU's own migration looks for it. */
    @Test
    void whatCannotBeSavedIsAskedFor() throws IOException {
        try (DemoQemu qemu = DemoQemu.source(machine(), folder.resolve("vm"));
                QemuControl control = qemu.control()) {
            assertEquals("", SavedDevices.obstacle(control, QmpClient.COMMAND_LIMIT));
            assertTrue(control.status().running());
            assertEquals("failed", control.migration().status());
        }
        try (DemoQemu qemu = DemoQemu.source(machine("-drive", "file=" + folder.resolve("disk")
                + ",format=raw,if=none,id=d", "-device", "nvme,drive=d,serial=1"),
                withDisk("vm2")); QemuControl control = qemu.control()) {
            String obstacle = SavedDevices.obstacle(control, QmpClient.COMMAND_LIMIT);
            assertTrue(obstacle.contains("nvme"), obstacle);
            assertTrue(control.status().running());
        }
    }

    private Path withDisk(String name) throws IOException {
        drive();
        return folder.resolve(name);
    }
}
