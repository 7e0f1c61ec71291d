package io.pageferry.agent.guest.qemu.firmware;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoMachine.Memory;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.check.RamBlock;
import io.pageferry.agent.guest.qemu.memory.QemuMemory;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.core.migration.GuestException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A QEMU that never runs: what it holds beside its RAM is what it put there when it started. */
@Sampled
class FirmwareBlocksTest {
    @TempDir
    Path folder;

    private DemoQemu start(String name, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("-S"));
        arguments.addAll(List.of(more));
        return DemoQemu.source(new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, 192L << 20,
                1, Memory.PLAIN, arguments), folder.resolve(name));
    }

    private static FirmwareBlocks find(DemoQemu qemu, QemuControl control) throws IOException {
        List<QemuFacts.Backend> backends = QemuProbe.read(control).memory();
        return FirmwareBlocks.find(qemu.process().pid(), control, backends,
                QemuMemory.find(qemu.process().pid(), control, backends).starts());
    }

    private static String written(FirmwareBlocks blocks) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        blocks.attributes();
        blocks.write(new DataOutputStream(bytes));
        return bytes.toString(StandardCharsets.ISO_8859_1);
    }

    /** Each by its name, and none of the RAM. */
    @Test
    void everythingButTheRamIsFoundAndWritten() throws IOException {
        try (DemoQemu qemu = start("vm", "-vga", "std"); QemuControl control = qemu.control()) {
            FirmwareBlocks found = find(qemu, control);
            // The ROM of the VGA has the size of a table: it is told by its signature.
            assertTrue(found.areAllLocated());
            String stream = written(found);
            for (RamBlock block : RamBlock.of(control)) {
                assertEquals(!block.isOf("pc.ram"), stream.contains((char) block.name().length()
                        + block.name()), block.name());
            }
            // The firmware's own words.
            assertTrue(stream.contains("SeaBIOS"));
        }
    }

    /** Two network cards have one ROM of one size each: which is which QEMU 7.2 does not say. */
    @Test
    void whatCannotBeToldApartHasToBeEqual() throws IOException {
        Path rom = folder.resolve("rom");
        String[] cards = {"-device", "e1000,id=a", "-device", "virtio-net-pci,id=b"};
        String[] others = {"-device", "e1000,id=a", "-device",
                "virtio-net-pci,id=b,romfile=" + rom};
        try (DemoQemu one = start("one", cards); QemuControl first = one.control()) {
            FirmwareBlocks source = find(one, first);
            if (source.areAllLocated()) {
                return; // a newer QEMU, which says it
            }
            Map<String, String> offered = source.attributes();
            assertFalse(offered.isEmpty());
            assertTrue(FirmwareBlocks.areNamed(offered));
            try (DemoQemu two = start("two", cards); QemuControl second = two.control()) {
                find(two, second).requireFits(offered);
            }
            byte[] other = new byte[256 << 10];
            other[0] = 0x55;
            other[1] = (byte) 0xaa;
            Files.write(rom, other);
            try (DemoQemu two = start("three", others); QemuControl second = two.control()) {
                GuestException refused = assertThrows(GuestException.class,
                        () -> find(two, second).requireFits(offered));
                assertTrue(refused.getMessage().contains("e1000.rom"), refused.getMessage());
                assertTrue(refused.remedy().contains("same firmware files"), refused.remedy());
            }
        }
    }
}
