package io.pageferry.agent.guest.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.block.BlockDevices;
import io.pageferry.agent.host.linux.block.DeviceNumber;
import io.pageferry.agent.host.linux.block.Mount;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which disks of a host are the machine, by a sysfs of files. */
class HostDisksTest {
    private static final long SECTORS = 1 << 20;

    @TempDir
    private Path sys;

    @BeforeEach
    void host() throws IOException {
        disk("sda", "8:0", SECTORS, 0, 0);
        disk("nvme0n1", "259:0", SECTORS, 0, 0);
        disk("sdb", "8:16", SECTORS, 1, 0);
        disk("sdc", "8:32", SECTORS, 1, 0);
        disk("sdd", "8:48", 0, 0, 0);
        disk("sde", "8:64", SECTORS, 0, 1);
        disk("sr0", "11:0", SECTORS, 1, 0);
        disk("loop0", "7:0", SECTORS, 0, 0);
        disk("loop1", "7:1", 0, 0, 0);
        disk("zram0", "252:0", SECTORS, 0, 0);
        disk("dm-0", "253:0", SECTORS, 0, 0);
        disk("md127", "9:127", SECTORS, 0, 0);
        disk("nbd0", "43:0", SECTORS, 0, 0);
    }

    private void disk(String name, String number, long sectors, int removable, int readOnly)
            throws IOException {
        Path folder = Files.createDirectories(sys.resolve("block").resolve(name));
        Files.writeString(folder.resolve("dev"), number + "\n");
        Files.writeString(folder.resolve("size"), sectors + "\n");
        Files.writeString(folder.resolve("removable"), removable + "\n");
        Files.writeString(folder.resolve("ro"), readOnly + "\n");
    }

    private HostDisks find(String root, String... mounted) throws IOException {
        Set<DeviceNumber> all = Stream.of(mounted).map(DeviceNumber::parse)
                .collect(Collectors.toSet());
        return HostDisks.of(new BlockDevices(sys), new HostDisks.Uses() {
            @Override
            public boolean isMounted(DeviceNumber disk) {
                return all.contains(disk);
            }

            @Override
            public boolean hasRoot(DeviceNumber disk) {
                return disk.equals(DeviceNumber.parse(root));
            }
        });
    }

    @Test
    void fixedDisksAndWhatIsMountedAreTheMachine() throws IOException {
        HostDisks found = find("8:0", "8:0", "8:32", "7:0");
        assertEquals(Stream.of("nvme0n1", "sda", "sdc").map(name -> Path.of("/dev", name))
                .toList(), found.disks());
        assertEquals(List.of("dm-0, made of other disks", "loop0, a file, as a loop device",
                "md127, made of other disks", "nbd0, storage of another host",
                "sdb, removable, and nothing on it is mounted",
                "sde, which nobody can write to", "sr0, a CD drive", "zram0, memory"),
                found.left());
    }

    @Test
    void aRootThatIsOnNoneOfThemIsRefused() {
        GuestException no = assertThrows(GuestException.class, () -> find("7:0", "8:0"));
        assertTrue(no.getMessage().contains("the root of this system lies on no disk of it"
                + " (left out: dm-0, "), no.getMessage());
        assertTrue(no.remedy().contains("machine:?disks=/dev/sda"), no.remedy());
    }

    private static void root(String line) throws IOException {
        Path file = Files.createTempFile("pageferry-", ".mountinfo");
        try {
            HostDisks.requireOwnRoot(Mount.of(Files.writeString(file, line)));
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void aRootOfAContainerOrALiveSystemIsRefused() throws IOException {
        root("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
        root("1 0 0:30 /@ / rw - btrfs /dev/sda1 rw\n");
        GuestException live = assertThrows(GuestException.class,
                () -> root("1 0 0:30 / / rw - overlay overlay rw,upperdir=/up\n"));
        assertTrue(live.getMessage().contains("on a live system"), live.getMessage());
        GuestException inside = assertThrows(GuestException.class,
                () -> root("1 0 8:1 /var/lib/lxc/web / rw - ext4 /dev/sda1 rw\n"));
        assertTrue(inside.getMessage().contains("the folder /var/lib/lxc/web"),
                inside.getMessage());
    }
}
