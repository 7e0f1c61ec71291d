package io.pageferry.agent.guest.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.machine.Hardware.Card;
import io.pageferry.agent.guest.machine.Hardware.Disk;
import io.pageferry.agent.guest.machine.Hardware.Mounted;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.agent.host.linux.block.Mount;
import io.pageferry.agent.host.machine.tree.SystemTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What hardware a system says that it runs on, by a tree of files. */
class HostHardwareTest {
    private static final long MIB = 1 << 20;

    @TempDir
    private Path root;

    @BeforeEach
    void system() throws IOException {
        file("/proc/sys/kernel/hostname", "web 1\n");
        file("/proc/meminfo", "MemFree: 1 kB\nMemTotal:        4028456 kB\n");
        file("/sys/devices/system/cpu/online", "0-2,5\n");
        file("/sys/class/net/ens8/device/vendor", "0x8086\n");
        file("/sys/class/net/ens8/type", "1\n");
        file("/sys/class/net/ens8/address", "00:25:90:AA:BB:01\n");
        file("/sys/class/net/ens8/addr_assign_type", "0\n");
        file("/sys/class/net/br0/type", "1\n");
        file("/sys/class/net/br0/address", "00:25:90:aa:bb:02\n");
        file("/sys/class/dmi/id/product_name", "Blade\u0001 \n");
    }

    private void file(String path, String text) throws IOException {
        Path file = root.resolve(path.substring(1));
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private Hardware read() throws IOException {
        return new HostHardware(new SystemTree(root)).read(List.of(new Disk("/dev/sda", MIB)),
                List.of(new Mount(1, DeviceNumber.parse("8:1"), "/", Path.of("/"), "ext4",
                        "/dev/sda1", "rw"), new Mount(2, DeviceNumber.parse("0:20"), "/",
                        Path.of("/proc"), "proc", "proc", "rw")));
    }

    @Test
    void aMachineIsWhatItsFilesSay() throws IOException {
        Hardware found = read();
        assertEquals(new Hardware("web-1", false, 3968 * MIB, 4,
                List.of(new Disk("/dev/sda", MIB)),
                List.of(new Mounted("/", "ext4", "/dev/sda1")),
                List.of(new Card("ens8", "00:25:90:aa:bb:01")),
                Map.of("product_name", "Blade\\u0001")), found);
        assertEquals(found, HardwareJson.read(HardwareJson.write(found)));
    }

    /** All of it, where the kernel counts it: MemTotal lacks what it keeps for itself. */
    @Test
    void memoryIsCountedByItsBlocks() throws IOException {
        file("/sys/firmware/efi/fw_platform_size", "64\n");
        file("/sys/devices/system/memory/block_size_bytes", "8000000\n");
        for (int i = 0; i < 32; i++) {
            file("/sys/devices/system/memory/memory" + i + "/state", i < 31 ? "online\n"
                    : "offline\n");
        }
        assertEquals(3968 * MIB, read().memoryBytes());
        assertTrue(read().uefi());
        file("/sys/devices/system/memory/block_size_bytes", "what\n");
        assertThrows(IOException.class, this::read);
    }
}
