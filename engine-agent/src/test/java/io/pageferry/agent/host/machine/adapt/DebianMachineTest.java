package io.pageferry.agent.host.machine.adapt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.machine.Adaptation;
import io.pageferry.agent.host.machine.TinySystem;
import io.pageferry.agent.host.machine.World;
import io.pageferry.agent.host.machine.boot.BootUnit;
import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.SystemTree;
import io.pageferry.agent.host.process.ProgramRunner;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * A Debian as an installer on hardware of before leaves it becomes a virtual machine, and then a
 * physical one of another name, and boots each time. It is made by debootstrap, which takes
 * minutes: {@code -Dpageferry.debian=FOLDER} has it in that folder, where its files are kept for
 * the next time.
 */
class DebianMachineTest {
    private static final Duration LONG = Duration.ofMinutes(40);
    private static final long ROOT_SECTORS = 2 * 1024 * 1024 * 2L;
    private static final String PROBE = """
            #!/bin/sh
            sleep 1
            echo "PROBE root $(findmnt -no SOURCE /) swap $(awk 'NR==2{print $1}' /proc/swaps)"
            for i in /sys/class/net/e*; do
                n=${i##*/}
                echo "PROBE net $n $(basename $(readlink $i/device/driver)) \
            $(ip -br a show $n | awk '{print $2,$3}')"
            done
            echo "PROBE host $(cat /etc/hostname) size $(df -m / | awk 'NR==2{print $2}')"
            systemctl poweroff --no-block
            """;

    private final ProgramRunner runner = new ProgramRunner();

    @Test
    void itBootsOnBothHardwares() throws IOException {
        Path folder = folder();
        Path root = system(folder);
        Path disk = folder.resolve("disk.raw");
        Files.deleteIfExists(disk);
        TinyDisk.make(disk, root, ROOT_SECTORS);

        adapt(disk, World.KVM, false, Optional.empty());

        String said = boot(folder, disk, "-drive", "file=" + disk + ",format=raw,if=virtio",
                "-device", "virtio-net-pci,netdev=n,addr=0x3,mac=" + TinySystem.MAC);
        assertTrue(said.contains("PROBE root /dev/vda1 swap /dev/vda2"), said);
        assertTrue(said.contains("PROBE net ens8 virtio_net UP 10.9.8.7/24"), said);

        try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
            file.setLength(file.length() + (1L << 30));
        }
        adapt(disk, World.PHYSICAL, true, Optional.of("phys2"));

        said = boot(folder, disk, "-drive", "file=" + disk + ",format=raw,if=ide",
                "-device", "e1000,netdev=n,addr=0x4,mac=" + TinySystem.MAC);
        assertTrue(said.contains("PROBE root /dev/sda1 swap /dev/sda2"), said);
        assertTrue(said.contains("PROBE net ens8 e1000 UP 10.9.8.7/24"), said);
        assertTrue(said.contains("PROBE host phys2 size "), said);
        int megabytes = Integer.parseInt(said.replaceAll("(?s).*size (\\d+).*", "$1"));
        assertTrue(megabytes > 2700, said);
    }

    /** What systemd makes of the unit: neither a network nor a service starts. */
    @Test
    void aMachineThatWasMovedAwayStaysDown() throws Exception {
        Path folder = folder();
        Path disk = folder.resolve("disk.raw");
        Files.deleteIfExists(disk);
        Path root = system(folder);
        Path program = root.resolve("usr/local/bin/pageferry");
        Edits edits = new Edits(new SystemTree(root));
        try {
            write(root, "usr/local/bin/pageferry",
                    "#!/bin/sh\necho \"PROBE $* says no\"\nexit 6\n");
            Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
            write(root, "sys/class/dmi/id/product_uuid", "4c4c4544-0042-3510-8052-b2c04f4d3332\n");
            new BootUnit("/usr/local/bin/pageferry", "--insecure").add(edits);
            edits.apply();
            write(root, "var/lib/pageferry/moving.json", "{}\n");
            TinyDisk.make(disk, root, ROOT_SECTORS);
        } finally {
            for (Edits.Edit edit : edits.all()) {
                Edits.put(edits.tree(), edit.path(), null, edit.mode());
            }
            clear(root.resolve("sys/class"));
            Files.deleteIfExists(root.resolve("var/lib/pageferry/moving.json"));
        }
        List<String> command = machine(folder, disk, "-drive", "file=" + disk
                + ",format=raw,if=ide", "-device", "e1000,netdev=n,addr=0x8,mac="
                + TinySystem.MAC);
        Path serial = folder.resolve("serial");
        Process qemu = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectInput(Path.of("/dev/null").toFile()).redirectOutput(serial.toFile())
                .start();
        try {
            String said = "";
            long deadline = System.nanoTime() + LONG.toNanos();
            while (qemu.isAlive() && !said.contains("emergency mode")
                    && System.nanoTime() - deadline < 0) {
                Thread.sleep(500);
                said = Files.readString(serial, StandardCharsets.ISO_8859_1);
            }
            assertTrue(said.contains("PROBE boot-check --insecure says no"), said);
            assertTrue(said.contains("emergency mode"), said);
            // Longer than the rest of a boot takes.
            qemu.waitFor(30, TimeUnit.SECONDS);
            said = Files.readString(serial, StandardCharsets.ISO_8859_1);
            assertFalse(said.contains("PROBE root"), said);
            assertFalse(said.contains("Started networking") || said.contains(
                    "Finished networking"), said);
        } finally {
            qemu.destroyForcibly();
        }
    }

    private static Path folder() throws IOException {
        String property = System.getProperty("pageferry.debian");
        Assumptions.assumeTrue(property != null, "not in the sample of this run: it makes a Debian"
                + " (-Dpageferry.debian=FOLDER)");
        return Files.createDirectories(Path.of(property));
    }

    private void adapt(Path disk, World world, boolean grow, Optional<String> clone)
            throws IOException {
        DiskAdapter.Result result = new DiskAdapter(runner, new DiskAdapter.Options(disk,
                Optional.empty(), new Adaptation.Options(world,
                Map.of("ens8", TinySystem.MAC), clone), grow, false)).run();
        System.out.println(world + " " + result);
        assertEquals(List.of(), result.warnings());
    }

    private String boot(Path folder, Path disk, String... hardware) throws IOException {
        return runner.require(machine(folder, disk, hardware), LONG);
    }

    /** With the kernel, initramfs and command line that its boot loader would take. */
    private List<String> machine(Path folder, Path disk, String... hardware)
            throws IOException {
        String entry = TinyDisk.read(disk, "/boot/grub/grub.cfg").lines()
                .filter(line -> line.strip().startsWith("linux ")).findFirst().orElseThrow();
        String kernel = entry.strip().split(" ")[1];
        Path vmlinuz = dump(disk, kernel, folder.resolve("vmlinuz"));
        Path initrd = dump(disk, kernel.replace("vmlinuz", "initrd.img"),
                folder.resolve("initrd"));
        List<String> command = new ArrayList<>(List.of("qemu-system-x86_64", "-machine", "pc",
                "-cpu", "max", "-smp", "2", "-m", "1024", "-display", "none", "-monitor", "none",
                "-no-reboot", "-serial", "stdio", "-kernel", vmlinuz.toString(), "-initrd",
                initrd.toString(), "-append", entry.strip().split(" ", 3)[2]
                + " console=ttyS0", "-netdev", "user,id=n"));
        command.addAll(List.of(hardware));
        return command;
    }

    private Path dump(Path disk, String path, Path to) throws IOException {
        runner.require(List.of("debugfs", "-R", "dump " + path + " " + to,
                disk + "?offset=" + TinyDisk.ROOT_FIRST * TinyDisk.SECTOR), LONG);
        return to;
    }

    private Path system(Path folder) throws IOException {
        Path root = folder.resolve("root");
        if (Files.exists(folder.resolve("made"))) {
            return root;
        }
        if (!Files.exists(folder.resolve("bootstrapped"))) {
            bootstrap(root);
            Files.writeString(folder.resolve("bootstrapped"), "\n");
        }
        String kernel;
        try (Stream<Path> boot = Files.list(root.resolve("boot"))) {
            kernel = boot.map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith("vmlinuz-")).findFirst().orElseThrow();
        }
        write(root, "etc/initramfs-tools/initramfs.conf", "MODULES=list\nBUSYBOX=auto\n"
                + "COMPRESS=zstd\n");
        write(root, "etc/initramfs-tools/modules", "ata_piix\nata_generic\nsd_mod\next4\n"
                + "e1000\ncrc32c_generic\n");
        write(root, "etc/fstab", "/dev/sda1 / ext4 errors=remount-ro 0 1\n"
                + "/dev/sda2 none swap sw 0 0\n");
        write(root, "boot/grub/grub.cfg", "menuentry 'Debian' {\n\tlinux /boot/" + kernel
                + " root=/dev/sda1 ro quiet\n\tinitrd /boot/" + kernel.replace("vmlinuz",
                "initrd.img") + "\n}\n");
        write(root, "etc/network/interfaces", "auto lo\niface lo inet loopback\nauto ens8\n"
                + "iface ens8 inet static\n  address 10.9.8.7/24\n");
        write(root, "etc/hostname", "phys1\n");
        write(root, "usr/local/bin/probe", PROBE);
        Files.setPosixFilePermissions(root.resolve("usr/local/bin/probe"),
                PosixFilePermissions.fromString("rwxr-xr-x"));
        write(root, "etc/systemd/system/probe.service", "[Unit]\nAfter=multi-user.target"
                + " network-online.target\n[Service]\nType=oneshot\nStandardOutput=tty\n"
                + "TTYPath=/dev/ttyS0\nExecStart=/usr/local/bin/probe\n[Install]\n"
                + "WantedBy=multi-user.target\n");
        for (List<String> program : List.of(List.of("systemctl", "enable", "probe.service"),
                List.of("update-initramfs", "-u", "-k", "all"))) {
            List<String> command = new ArrayList<>(List.of("chroot", root.toString()));
            command.addAll(program);
            runner.require(command, LONG);
        }
        Files.writeString(folder.resolve("made"), "\n");
        return root;
    }

    private void bootstrap(Path root) throws IOException {
        clear(root);
        runner.require(List.of("debootstrap", "--variant=minbase", "--include=linux-image-amd64,"
                + "initramfs-tools,systemd-sysv,udev,ifupdown,iproute2,kmod,e2fsprogs,zstd,dbus,"
                + "openssh-server", "bookworm", root.toString()), LONG);
    }

    private static void clear(Path root) throws IOException {
        if (Files.exists(root)) {
            try (Stream<Path> all = Files.walk(root)) {
                for (Path one : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(one);
                }
            }
        }
    }

    private static void write(Path root, String path, String text) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), text, StandardCharsets.UTF_8);
    }
}
