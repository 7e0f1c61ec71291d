package io.pageferry.agent.host.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/**
 * The files of a Debian as small as can be, as an installer on hardware of before left it: devices
 * by name, an initramfs without virtio, an interface that is named by its slot. Its programs are
 * scripts that a static busybox runs; they do what those of Debian do to the files that matter.
 */
public final class TinySystem {
    public static final String KERNEL = "6.1.0-1-amd64";
    public static final String ROOT_UUID = "11111111-2222-3333-4444-555555555555";
    public static final String SWAP_UUID = "66666666-7777-8888-9999-aaaaaaaaaaaa";
    public static final String MAC = "52:54:00:aa:bb:01";

    private static final Path BUSYBOX = Path.of("/usr/bin/busybox");

    private final Path root;

    private TinySystem(Path root) {
        this.root = root;
    }

    /** Makes one in a folder. */
    public static TinySystem in(Path root) throws IOException {
        TinySystem system = new TinySystem(root);
        system.write("etc/os-release", "ID=debian\n");
        system.write("etc/fstab", """
                # <file system> <mount point> <type> <options> <dump> <pass>
                /dev/sda1\t/    ext4 errors=remount-ro 0 1
                /dev/sda2 none swap sw 0 0
                /dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0
                """);
        system.write("etc/default/grub", """
                GRUB_CMDLINE_LINUX_DEFAULT="quiet"
                GRUB_CMDLINE_LINUX="resume=/dev/sda2"
                GRUB_DISABLE_LINUX_UUID=true
                """);
        system.write("etc/initramfs-tools/conf.d/resume", "RESUME=/dev/sda2\n");
        system.write("boot/grub/grub.cfg", """
                set root='hd0,gpt1'
                menuentry 'Debian' {
                \tlinux /boot/vmlinuz-%1$s root=/dev/sda1 ro quiet resume=/dev/sda2
                \tinitrd /boot/initrd.img-%1$s
                }
                """.formatted(KERNEL));
        system.write("boot/vmlinuz-" + KERNEL, "a kernel");
        system.write("boot/initrd.img-" + KERNEL, "usr/lib/modules/kernel/ata_piix.ko\n");
        system.drivers("virtio_pci", "virtio_blk", "virtio_scsi", "virtio_net", "ahci", "nvme",
                "ata_piix", "e1000");
        system.write("etc/network/interfaces", """
                auto lo
                iface lo inet loopback
                auto ens8
                iface ens8 inet static
                  address 10.9.8.7/24
                """);
        system.write("etc/hostname", "phys1\n");
        system.write("etc/hosts", "127.0.0.1 localhost\n127.0.1.1 phys1.example phys1\n");
        system.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        system.write("etc/ssh/sshd_config", "\n");
        system.write("etc/ssh/ssh_host_ed25519_key", "a key\n");
        system.programs();
        return system;
    }

    private void programs() throws IOException {
        Assumptions.assumeTrue(Files.isExecutable(BUSYBOX), "there is no busybox");
        Files.createDirectories(root.resolve("usr/bin"));
        Files.createDirectories(root.resolve("usr/sbin"));
        Files.copy(BUSYBOX, root.resolve("usr/bin/busybox"));
        for (String name : List.of("sh", "env", "cat", "sleep", "mkdir", "touch")) {
            Files.createSymbolicLink(root.resolve("usr/bin/" + name), Path.of("busybox"));
        }
        Files.createSymbolicLink(root.resolve("bin"), Path.of("usr/bin"));
        for (String folder : List.of("proc", "sys", "dev", "run", "tmp")) {
            Files.createDirectories(root.resolve(folder));
        }
        program("usr/sbin/update-initramfs", """
                for kernel in /lib/modules/*; do
                    export KERNEL=${kernel##*/}
                    export MADE=/boot/initrd.img-$KERNEL
                    echo usr/lib/modules/kernel/ata_piix.ko > $MADE
                    for hook in /etc/initramfs-tools/hooks/*; do
                        [ ! -x $hook ] || $hook
                    done
                done
                """);
        write("usr/share/initramfs-tools/hook-functions", """
                manual_add_modules() {
                    for one; do echo usr/lib/modules/kernel/$one.ko >> $MADE; done
                }
                """);
        program("usr/bin/lsinitramfs", "cat $1\n");
        program("usr/bin/ssh-keygen", "echo another key > /etc/ssh/ssh_host_ed25519_key\n");
    }

    /** {@return where it is} */
    public Path root() {
        return root;
    }

    /** Gives its kernel these drivers and no others. */
    public void drivers(String... names) throws IOException {
        StringBuilder list = new StringBuilder();
        for (String name : names) {
            list.append("kernel/drivers/").append(name).append(".ko.xz: kernel/lib/other.ko\n");
        }
        write("lib/modules/" + KERNEL + "/modules.dep", list.toString());
        write("lib/modules/" + KERNEL + "/modules.builtin", "kernel/fs/ext4/ext4.ko\n");
    }

    /** Gives one of its files a content. */
    public void write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    /** Gives it a program, a script. */
    public void program(String path, String script) throws IOException {
        write(path, "#!/bin/sh\n" + script);
        Files.setPosixFilePermissions(root.resolve(path),
                PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** {@return a file of it} */
    public String read(String path) throws IOException {
        return Files.readString(root.resolve(path));
    }
}
