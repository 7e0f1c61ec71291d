package io.pageferry.agent.host.machine.adapt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.host.disk.image.ImageFormat;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.block.LoopDisk;
import io.pageferry.agent.host.machine.Adaptation;
import io.pageferry.agent.host.machine.TinySystem;
import io.pageferry.agent.host.machine.World;
import io.pageferry.agent.host.process.ProgramRunner;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A disk is adapted as a whole or not at all, and nothing is left behind. */
@Sampled
class DiskAdapterTest {
    private static final Map<String, String> MACS = Map.of("ens8", TinySystem.MAC);

    private final ProgramRunner runner = new ProgramRunner();

    @TempDir
    private Path folder;

    private TinySystem system;

    @BeforeEach
    void make() throws IOException {
        Assumptions.assumeTrue(Files.isWritable(Path.of("/dev/loop-control"))
                && Files.isWritable(Path.of("/dev/fuse")), "no loop devices and FUSE here");
        system = TinySystem.in(folder.resolve("root"));
    }

    /** Whatever came of it. */
    @AfterEach
    void nothingIsLeft() throws IOException {
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(), left.filter(one -> one.getFileName().toString()
                    .startsWith(".pageferry")).toList());
        }
        // The kernel takes a device away a moment after its last user.
        long deadline = System.nanoTime() + Requirements.HANG.toNanos();
        while (LoopDisk.run("losetup", "--list").contains(".pageferry-adapt")) {
            assertTrue(System.nanoTime() - deadline < 0, LoopDisk.run("losetup", "--list"));
        }
        assertFalse(Files.readString(Path.of("/proc/self/mountinfo"),
                StandardCharsets.ISO_8859_1).contains(folder.toString()));
    }

    private Path disk() throws IOException {
        return TinyDisk.make(folder.resolve("disk.raw"), system.root(), TinyDisk.ROOT_SECTORS);
    }

    private DiskAdapter.Result adapt(Path disk, World world, boolean grow, String clone)
            throws IOException {
        return new DiskAdapter(runner, new DiskAdapter.Options(disk, Optional.empty(),
                new Adaptation.Options(world, MACS, Optional.ofNullable(clone)), grow, false))
                .run();
    }

    @ParameterizedTest
    @CsvSource({"raw", "qcow2", "vdi"})
    void aDiskOfAnyFormat(String format) throws IOException {
        Path raw = disk();
        Path disk = raw;
        Optional<ImageFormat> known = Optional.empty();
        if (!format.equals("raw")) {
            known = Optional.of(ImageFormat.valueOf(format.toUpperCase(Locale.ROOT)));
            disk = folder.resolve("disk." + format);
            LoopDisk.run("qemu-img", "convert", "-O", format, raw.toString(), disk.toString());
        }

        new DiskAdapter(runner, new DiskAdapter.Options(disk, known, new Adaptation.Options(
                World.KVM, MACS, Optional.empty()), false, false)).run();

        if (known.isPresent()) {
            Files.delete(raw);
            LoopDisk.run("qemu-img", "convert", "-f", format, "-O", "raw", disk.toString(),
                    raw.toString());
        }
        String fstab = TinyDisk.read(raw, "/etc/fstab");
        assertTrue(fstab.contains("UUID=" + TinySystem.ROOT_UUID + "\t/"), fstab);
        assertTrue(TinyDisk.read(raw, "/boot/grub/grub.cfg")
                .contains("root=UUID=" + TinySystem.ROOT_UUID));
        assertTrue(TinyDisk.read(raw, "/etc/systemd/network/10-pageferry-ens8.link")
                .contains(TinySystem.MAC));
        String initramfs = TinyDisk.read(raw, "/boot/initrd.img-" + TinySystem.KERNEL);
        for (String driver : List.of("virtio_blk", "virtio_scsi", "ahci", "nvme", "e1000")) {
            assertTrue(initramfs.contains(driver + ".ko"), initramfs);
        }
        LoopDisk.run("e2fsck", "-f", "-n", raw + "?offset=" + TinyDisk.ROOT_FIRST * 512);
    }

    @Test
    void aSecondTimeThereIsNothingToDo() throws IOException {
        Path disk = disk();
        adapt(disk, World.KVM, false, null);
        assertEquals(List.of(), adapt(disk, World.KVM, false, null).edits());
    }

    /** Each ends a program of the system that it needs; the last is what update-grub does. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            exit 9                                  | update-initramfs
            echo nothing                            | still lacks
            sed -i s/root=UUID=[-0-9a-f]*/root=.dev.loop1p2/ /boot/grub/grub.cfg | name that holds
            """)
    void whatFailsLeavesTheDiskAsItWas(String script, String words) throws IOException {
        String made = system.read("usr/sbin/update-initramfs").replaceFirst("#!/bin/sh\n", "");
        Files.createSymbolicLink(system.root().resolve("usr/bin/sed"), Path.of("busybox"));
        system.program("usr/sbin/update-initramfs", (script.startsWith("sed") ? made : "")
                + script.replace(".dev.loop", "\\\\/dev\\\\/loop") + "\n");
        Path disk = disk();
        byte[] before = Files.readAllBytes(disk);

        IOException failed = assertThrows(IOException.class,
                () -> adapt(disk, World.KVM, false, null));

        assertTrue(failed.getMessage().contains(words), failed.getMessage());
        assertArrayEquals(before, Files.readAllBytes(disk));
    }

    @Test
    void aCancelLeavesTheDiskAsItWas() throws Exception {
        // Nobody else sleeps for so long.
        String mark = "98765.4321";
        system.program("usr/sbin/update-initramfs", "/usr/bin/sleep " + mark + "\n");
        Path disk = disk();
        byte[] before = Files.readAllBytes(disk);
        CompletableFuture<DiskAdapter.Result> adapted = new CompletableFuture<>();
        Thread.ofPlatform().daemon().start(() -> {
            try {
                adapted.complete(adapt(disk, World.KVM, false, null));
            } catch (IOException e) {
                adapted.completeExceptionally(e);
            }
        });
        long deadline = System.nanoTime() + Requirements.HANG.toNanos();
        while (!isRunning(mark) && !adapted.isDone()) {
            assertTrue(System.nanoTime() - deadline < 0, "it never ran");
        }

        runner.cancel();

        ExecutionException ended = assertThrows(ExecutionException.class,
                () -> adapted.get(Requirements.HANG.toSeconds(), TimeUnit.SECONDS));
        GuestException why = (GuestException) ended.getCause();
        assertEquals(ErrorCode.CANCELLED, why.code(), why.getMessage());
        assertArrayEquals(before, Files.readAllBytes(disk));
        assertFalse(isRunning(mark));
    }

    private static boolean isRunning(String mark) {
        return ProcessHandle.allProcesses().anyMatch(one -> {
            try {
                return Files.readString(Path.of("/proc/" + one.pid() + "/cmdline"),
                        StandardCharsets.ISO_8859_1).contains("\0" + mark + "\0");
            } catch (IOException e) {
                return false;
            }
        });
    }

    @Test
    void aLargerDiskIsFilled() throws IOException {
        Path disk = disk();
        long bytes = 96L << 20;
        try (FileChannel file = FileChannel.open(disk, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.allocate(1), bytes - 1);
        }

        DiskAdapter.Result result = adapt(disk, World.PHYSICAL, true, null);

        assertTrue(result.growth().contains("swap moved"), result.growth());
        try (FileChannel file = FileChannel.open(disk)) {
            List<PartitionTable.Partition> partitions = PartitionTable.read(file).partitions();
            long end = bytes / 512;
            assertTrue(partitions.get(1).end() > end - 4096, partitions.toString());
            assertEquals(TinyDisk.SWAP_SECTORS, partitions.get(1).sectors());
            assertEquals(partitions.get(1).first(), partitions.getFirst().end());
            // The second header says where itself is and where the first is.
            ByteBuffer header = ByteBuffer.allocate(512)
                    .order(ByteOrder.LITTLE_ENDIAN);
            file.read(header, (end - 1) * 512);
            assertEquals(end - 1, header.getLong(24));
            assertEquals(1, header.getLong(32));
            String found = LoopDisk.run("blkid", "-p", "-O",
                    Long.toString(partitions.get(1).first() * 512), disk.toString());
            assertTrue(found.contains(TinySystem.SWAP_UUID), found);
            String superblock = LoopDisk.run("dumpe2fs", "-h",
                    disk + "?offset=" + TinyDisk.ROOT_FIRST * 512);
            long blocks = Long.parseLong(superblock.replaceAll("(?s).*Block count: *(\\d+).*",
                    "$1"));
            long size = Long.parseLong(superblock.replaceAll("(?s).*Block size: *(\\d+).*", "$1"));
            assertEquals(partitions.getFirst().sectors() * 512 / size, blocks);
        }
    }

    @Test
    void aCloneHasAnIdentityOfItsOwn() throws IOException {
        Path disk = disk();
        String name = adapt(disk, World.KVM, false, "").hostname();

        assertTrue(name.matches("phys1-[0-9a-f]{6}"), name);
        assertEquals(name + "\n", TinyDisk.read(disk, "/etc/hostname"));
        assertTrue(TinyDisk.read(disk, "/etc/hosts").contains(name + ".example " + name));
        assertNotEquals(system.read("etc/machine-id"), TinyDisk.read(disk, "/etc/machine-id"));
        assertEquals("another key\n", TinyDisk.read(disk, "/etc/ssh/ssh_host_ed25519_key"));
    }

    /** What is not understood, each by how it begins. */
    static Stream<Arguments> notUnderstood() {
        return Stream.of(
                Arguments.of("LVM2_member", 512, lvm(), "LVM"),
                Arguments.of("crypto_LUKS", 0, HexFormat.of().parseHex("4c554b53babe0001"),
                        "encrypted"),
                Arguments.of("swsuspend", 4086, "S1SUSPEND\0".getBytes(StandardCharsets.US_ASCII),
                        "hibernates"),
                Arguments.of("", 0, new byte[0], "no Linux system on it on ext4 or xfs"));
    }

    /** A label as LVM writes it, with the sum that blkid compares. */
    private static byte[] lvm() {
        ByteBuffer label = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
        label.put("LABELONE".getBytes(StandardCharsets.US_ASCII)).putLong(8, 1).putInt(20, 32);
        label.position(24).put("LVM2 001".getBytes(StandardCharsets.US_ASCII));
        int sum = 0xf597a6cf;
        for (int i = 20; i < label.capacity(); i++) {
            sum ^= label.get(i) & 0xff;
            for (int bit = 0; bit < 8; bit++) {
                sum = (sum & 1) == 0 ? sum >>> 1 : sum >>> 1 ^ 0xedb88320;
            }
        }
        return label.putInt(16, sum).array();
    }

    @ParameterizedTest
    @MethodSource("notUnderstood")
    void whatIsNotUnderstoodIsRefused(String type, int at, byte[] magic, String words)
            throws IOException {
        Path disk = TinyDisk.make(folder.resolve("disk.raw"), null, TinyDisk.ROOT_SECTORS);
        TinyDisk.put(disk, magic, TinyDisk.ROOT_FIRST * 512 + at);
        byte[] before = Files.readAllBytes(disk);

        GuestException refused = assertThrows(GuestException.class,
                () -> adapt(disk, World.KVM, false, null));

        assertTrue(refused.getMessage().contains(words), type + ": " + refused.getMessage());
        assertFalse(refused.remedy().isEmpty());
        assertArrayEquals(before, Files.readAllBytes(disk));
    }

    /** Its loader says a word on the serial line; the entry for it was in a firmware. */
    @Test
    void aDiskOfUefiStartsOnAnotherMachine() throws Exception {
        Path modules = Path.of("/usr/lib/grub/x86_64-efi");
        Path firmware = Path.of("/usr/share/OVMF/OVMF_CODE_4M.fd");
        Assumptions.assumeTrue(Files.exists(modules) && Files.exists(firmware),
                "no GRUB for UEFI or no OVMF here");
        Path words = Files.writeString(folder.resolve("words"), """
                serial --unit=0
                terminal_output serial
                echo started-by-EFI
                halt
                """);
        Path loader = folder.resolve("grubx64.efi");
        LoopDisk.run("grub-mkimage", "-O", "x86_64-efi", "-o", loader.toString(), "-c",
                words.toString(), "-p", "/EFI/debian", "serial", "echo", "halt", "terminal");
        Path efi = folder.resolve("efi");
        Files.write(efi, new byte[(int) TinyDisk.SWAP_SECTORS * 512]);
        LoopDisk.run("mformat", "-i", efi.toString(), "::");
        LoopDisk.run("mmd", "-i", efi.toString(), "::/EFI", "::/EFI/debian");
        LoopDisk.run("mcopy", "-i", efi.toString(), loader.toString(), "::/EFI/debian/");
        system.write("etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n"
                + "/dev/sda2 /boot/efi vfat umask=0077 0 1\n");
        Files.createDirectories(system.root().resolve("boot/efi"));
        Path disk = disk();
        TinyDisk.put(disk, Files.readAllBytes(efi),
                (TinyDisk.ROOT_FIRST + TinyDisk.ROOT_SECTORS) * 512);

        DiskAdapter.Result result = adapt(disk, World.PHYSICAL, false, null);

        assertTrue(result.edits().stream().anyMatch(one -> one.path()
                .equals("/boot/efi/EFI/BOOT/BOOTX64.EFI")), result.edits().toString());
        assertTrue(TinyDisk.read(disk, "/etc/fstab").matches("(?s).*UUID=....-.... /boot/efi.*"));
        assertEquals(List.of(), adapt(disk, World.PHYSICAL, false, null).edits());
        Path said = folder.resolve("said");
        Path variables = Files.copy(Path.of("/usr/share/OVMF/OVMF_VARS_4M.fd"),
                folder.resolve("variables"));
        Process machine = new ProcessBuilder("qemu-system-x86_64", "-M", "q35", "-m", "256",
                "-nodefaults", "-display", "none", "-drive", "if=pflash,format=raw,readonly=on,"
                + "file=" + firmware, "-drive", "if=pflash,format=raw,file=" + variables,
                "-drive", "format=raw,file=" + disk, "-serial", "file:" + said)
                .redirectErrorStream(true).redirectOutput(folder.resolve("errors").toFile())
                .start();
        try {
            assertTrue(machine.waitFor(Requirements.HANG.toSeconds(), TimeUnit.SECONDS), () ->
                    "it hangs: " + text(said));
            assertTrue(text(said).contains("started-by-EFI"), () -> text(said)
                    + text(folder.resolve("errors")));
        } finally {
            machine.destroyForcibly();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void aDiskInUseIsRefused() throws IOException {
        Path disk = disk();
        String device = LoopDisk.run("losetup", "--find", "--show", disk.toString()).strip();
        try {
            GuestException refused = assertThrows(GuestException.class,
                    () -> adapt(disk, World.KVM, false, null));
            assertTrue(refused.getMessage().contains(device + " is attached to"),
                    refused.getMessage());
        } finally {
            LoopDisk.run("losetup", "--detach", device);
        }
    }

    @Test
    void aFormatIsSaidAndNotGuessed() throws IOException {
        Path disk = folder.resolve("disk.img");
        LoopDisk.run("qemu-img", "create", "-q", "-f", "qcow2", disk.toString(), "8M");
        GuestException refused = assertThrows(GuestException.class,
                () -> adapt(disk, World.KVM, false, null));
        assertTrue(refused.remedy().contains("?format=qcow2"), refused.remedy());
    }
}
