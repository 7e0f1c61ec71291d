package io.pageferry.agent.host.machine.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.cli.machine.PrepareCommand;
import io.pageferry.agent.host.machine.Adaptation;
import io.pageferry.agent.host.machine.TinySystem;
import io.pageferry.agent.host.machine.World;
import io.pageferry.agent.host.process.ProgramRunner;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** A running system is prepared as its own sysfs and udev show it, and all of it is undone. */
class PreparationTest {
    @TempDir
    private Path folder;

    private TinySystem system;
    private Preparation preparation;

    @BeforeEach
    void make() throws IOException {
        Assumptions.assumeTrue(Integer.valueOf(0).equals(
                Files.getAttribute(Path.of("/proc/self"), "unix:uid")), "chroot wants root");
        system = TinySystem.in(folder.resolve("root"));
        // As udev and sysfs show one disk and one card, beside a bridge.
        for (Map.Entry<String, String> one : Map.of(TinySystem.ROOT_UUID, "sda1",
                TinySystem.SWAP_UUID, "sda2").entrySet()) {
            system.write("dev/" + one.getValue(), "");
            link("dev/disk/by-uuid/" + one.getKey(), "../../" + one.getValue());
        }
        card("ens8", "52:54:00:AA:BB:01", "0");
        link("sys/class/net/ens8/device", "../../../devices/pci0");
        card("br0", "52:54:00:aa:bb:01", "3");
        preparation = new Preparation(system.root(), new ProgramRunner());
    }

    private void card(String name, String mac, String assigned) throws IOException {
        system.write("sys/class/net/" + name + "/address", mac + "\n");
        system.write("sys/class/net/" + name + "/type", "1\n");
        system.write("sys/class/net/" + name + "/addr_assign_type", assigned + "\n");
        system.write("sys/devices/pci0/vendor", "0x8086\n");
    }

    private void link(String path, String target) throws IOException {
        Path link = system.root().resolve(path);
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, Path.of(target));
    }

    private Adaptation plan() throws IOException {
        return preparation.plan(new Adaptation.Options(World.KVM, Map.of(), Optional.empty()),
                Optional.empty());
    }

    /** Every file but its own record, with its content. */
    private Map<String, String> files() throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(system.root())) {
            for (Path one : all.filter(path -> Files.isRegularFile(path,
                    LinkOption.NOFOLLOW_LINKS)
                    && !path.endsWith("busybox")).toList()) {
                files.put(system.root().relativize(one).toString(), Files.readString(one));
            }
        }
        return files;
    }

    @Test
    void aPlanChangesNothing() throws IOException {
        Map<String, String> before = files();
        List<String> paths = plan().edits().stream().map(edit -> edit.path()).toList();
        assertTrue(paths.containsAll(List.of("/etc/fstab", "/boot/grub/grub.cfg",
                "/etc/systemd/network/10-pageferry-ens8.link",
                "/etc/initramfs-tools/hooks/pageferry")), paths.toString());
        assertEquals(before, files());
    }

    @Test
    void whatIsPreparedIsUndone() throws IOException {
        Map<String, String> before = files();
        assertTrue(preparation.apply(plan()));
        assertTrue(system.read("etc/fstab").contains("UUID=" + TinySystem.ROOT_UUID));
        assertTrue(system.read("boot/initrd.img-" + TinySystem.KERNEL).contains("virtio_blk"));
        assertFalse(Files.exists(system.root().resolve(
                "etc/systemd/network/10-pageferry-br0.link")));

        Preparation.Undone undone = preparation.undo(false);

        assertEquals(List.of(), undone.changedSince());
        before.put("boot/initrd.img-" + TinySystem.KERNEL, "usr/lib/modules/kernel/ata_piix.ko\n");
        assertEquals(before, files());
        assertThrows(GuestException.class, () -> preparation.undo(false));
    }

    /** What was prepared a second time goes back to what was there before the first. */
    @Test
    void preparedTwiceIsUndoneOnce() throws IOException {
        Map<String, String> before = files();
        preparation.apply(plan());
        card("ens9", "52:54:00:aa:bb:02", "0");
        link("sys/class/net/ens9/device", "../../../devices/pci0");
        preparation.apply(plan());
        assertTrue(files().containsKey("etc/systemd/network/10-pageferry-ens9.link"));
        preparation.undo(false);
        Map<String, String> after = files();
        after.keySet().removeIf(path -> path.startsWith("sys/class/net/ens9"));
        assertEquals(before, after);
    }

    /** What an administrator wrote in between is his, and is not lost by undoing. */
    @Test
    void whatWasWrittenBetweenTwoPreparationsComesBack() throws IOException {
        preparation.apply(plan());
        String mine = "/dev/sda1 / ext4 defaults 0 1\n# mine\n";
        system.write("etc/fstab", mine);
        Adaptation second = plan();
        preparation.apply(second);
        assertTrue(second.warnings().stream().anyMatch(line -> line.startsWith("/etc/fstab was"
                + " changed since")), second.warnings().toString());
        assertEquals(1, second.warnings().stream().filter(line -> line.contains("changed since"))
                .count());

        Preparation.Undone undone = preparation.undo(false);

        assertEquals(List.of(), undone.changedSince());
        assertEquals(mine, system.read("etc/fstab"));
        assertTrue(system.read("boot/grub/grub.cfg").contains("root=/dev/sda1"));
    }

    private int command(String... more) throws IOException {
        PrepareCommand command = new PrepareCommand();
        new CommandLine(command).parseArgs(Stream.concat(Stream.of("--root",
                system.root().toString()), Stream.of(more)).toArray(String[]::new));
        return command.call();
    }

    /** A refusal says that nothing was changed: it comes before anything is. */
    @Test
    void aBootEntryOfAnotherSystemIsRefusedBeforeAnythingIsChanged() throws IOException {
        system.write("boot/grub/grub.cfg", system.read("boot/grub/grub.cfg")
                .replace("root=/dev/sda1", "root=UUID=" + TinySystem.SWAP_UUID));
        Map<String, String> before = files();
        for (String[] words : List.of(new String[] {"--dry-run"}, new String[0])) {
            GuestException no = assertThrows(GuestException.class, () -> command(words));
            assertTrue(no.getMessage().contains("/boot/grub/grub.cfg starts root=UUID="
                    + TinySystem.SWAP_UUID), no.getMessage());
            assertEquals(before, files());
        }
    }

    /** Files are changed then, so that it is no refusal (3) but a failure that can be undone. */
    @ParameterizedTest
    @ValueSource(strings = {"true\n",
        "echo 'linux /vmlinuz root=/dev/sda1' >> /boot/grub/grub.cfg\n"
                + "for one in pci blk scsi net; do echo kernel/virtio_$one.ko; done"
                + " > /boot/initrd.img-" + TinySystem.KERNEL + "\n"})
    void whatIsFoundBehindTheChangesIsAFailure(String program) throws IOException {
        String right = system.read("usr/sbin/update-initramfs").replace("#!/bin/sh\n", "");
        system.program("usr/sbin/update-initramfs", program);
        String before = system.read("etc/fstab");
        assertEquals(4, command());
        assertNotEquals(before, system.read("etc/fstab"));
        system.program("usr/sbin/update-initramfs", right);
        command("--undo");
        assertEquals(before, system.read("etc/fstab"));
    }

    @Test
    void whatSomebodyChangedSinceIsLeft() throws IOException {
        preparation.apply(plan());
        system.write("etc/fstab", "# mine\n");
        Preparation.Undone undone = preparation.undo(false);
        assertEquals(List.of("/etc/fstab"), undone.changedSince());
        assertEquals("# mine\n", system.read("etc/fstab"));
        assertTrue(system.read("boot/grub/grub.cfg").contains("root=/dev/sda1"));
    }

    /** A power cut in the middle: the record comes first. */
    @Test
    void whatFailedInTheMiddleIsUndone() throws IOException {
        Map<String, String> before = files();
        String program = system.read("usr/sbin/update-initramfs").replace("#!/bin/sh\n", "");
        system.program("usr/sbin/update-initramfs", "exit 9\n");
        IOException failed = assertThrows(IOException.class, () -> preparation.apply(plan()));
        assertTrue(failed.getMessage().contains("update-initramfs"), failed.getMessage());
        system.program("usr/sbin/update-initramfs", program);
        preparation.undo(false);
        assertEquals(before, files());
    }
}
