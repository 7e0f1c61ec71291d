package io.pageferry.agent.host.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.Refusal;
import io.pageferry.agent.host.machine.tree.SystemTree;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is changed in the files of a system, and what is refused before anything is. */
class FilesOfASystemTest {
    @TempDir
    private Path folder;

    private TinySystem system;

    @BeforeEach
    void make() throws IOException {
        system = TinySystem.in(folder.resolve("root"));
    }

    /** A disk with root and swap, as /dev/sda is named in the system. */
    private record TwoPartitions(Map<String, String> cards) implements Devices {
        @Override
        public String uuid(String node) throws IOException {
            return switch (node) {
                case "/dev/sda1", "/dev/disk/by-id/ata-X-part1" -> TinySystem.ROOT_UUID;
                case "/dev/sda2" -> TinySystem.SWAP_UUID;
                default -> throw Refusal.of(node + " is on another disk", "mend it");
            };
        }

        @Override
        public Set<String> uuids() {
            return Set.of(TinySystem.ROOT_UUID, TinySystem.SWAP_UUID);
        }

        @Override
        public String root() {
            return TinySystem.ROOT_UUID;
        }
    }

    private Adaptation plan(World world) throws IOException {
        return plan(world, Map.of("ens8", TinySystem.MAC));
    }

    private Adaptation plan(World world, Map<String, String> cards) throws IOException {
        return Adaptation.plan(new SystemTree(system.root()), new TwoPartitions(cards),
                new Adaptation.Options(world, Map.of(), Optional.empty()));
    }

    private String after(Adaptation plan, String path) throws IOException {
        return plan.changes().read(path).orElseThrow();
    }

    @Test
    void devicesAreNamedByUuid() throws IOException {
        Adaptation plan = plan(World.KVM);

        assertEquals("""
                # <file system> <mount point> <type> <options> <dump> <pass>
                UUID=%s\t/    ext4 errors=remount-ro 0 1
                UUID=%s none swap sw 0 0
                /dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0
                """.formatted(TinySystem.ROOT_UUID, TinySystem.SWAP_UUID),
                after(plan, Fstab.PATH));
        assertEquals("""
                set root='hd0,gpt1'
                menuentry 'Debian' {
                \tlinux /boot/vmlinuz-%1$s root=UUID=%2$s ro quiet resume=UUID=%3$s console=tty0\
                 console=ttyS0,115200
                \tinitrd /boot/initrd.img-%1$s
                }
                """.formatted(TinySystem.KERNEL, TinySystem.ROOT_UUID, TinySystem.SWAP_UUID),
                after(plan, "/boot/grub/grub.cfg"));
        assertEquals("""
                GRUB_CMDLINE_LINUX_DEFAULT="quiet"
                GRUB_CMDLINE_LINUX="resume=UUID=%s console=tty0 console=ttyS0,115200"
                #GRUB_DISABLE_LINUX_UUID=true
                """.formatted(TinySystem.SWAP_UUID), after(plan, "/etc/default/grub"));
        assertEquals("RESUME=UUID=" + TinySystem.SWAP_UUID + "\n",
                after(plan, "/etc/initramfs-tools/conf.d/resume"));
    }

    @Test
    void nothingIsWrittenBeforeItIsApplied() throws IOException {
        String before = system.read("etc/fstab");
        plan(World.KVM);
        assertEquals(before, system.read("etc/fstab"));
        assertFalse(Files.exists(system.root().resolve("etc/systemd/network")));
    }

    @Test
    void theInterfaceKeepsItsNameByItsMac() throws IOException {
        assertTrue(after(plan(World.KVM), "/etc/systemd/network/10-pageferry-ens8.link")
                .contains("MACAddress=" + TinySystem.MAC + "\nType=ether\n\n[Link]\nName=ens8\n"));
    }

    @Test
    void anInterfaceWhoseMacNobodyKnowsIsAskedAbout() {
        GuestException refused = assertThrows(GuestException.class,
                () -> plan(World.KVM, Map.of()));
        assertTrue(refused.getMessage().contains("ens8"), refused.getMessage());
        assertTrue(refused.remedy().contains("--mac ens8="), refused.remedy());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            etc/systemd/network/x.link|[Match];MACAddress=52:54:00:00:00:09;[Link];Name=ens8
            etc/udev/rules.d/70-persistent-net.rules|ATTR{address}=="52:54:00:00:00:09", NAME="ens8"
            """)
    void aNameThatIsKeptAlreadyIsLeft(String path, String text) throws IOException {
        system.write(path, text.replace(';', '\n') + "\n");
        plan(World.KVM, Map.of()).edits().forEach(edit ->
                assertFalse(edit.path().endsWith("ens8.link"), edit.path()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            etc/sysconfig/network-scripts/ifcfg-enp3s0|DEVICE=enp3s0;HWADDR="52:54:00:AA:00:02"
            etc/NetworkManager/system-connections/a.nmconnection|\
            interface-name=enp3s0;mac-address=52:54:00:AA:00:02
            etc/netplan/a.yaml|network:;  ethernets:;    enp3s0:;      match:;\
                    macaddress: 52:54:00:aa:00:02
            """)
    void theMacIsFoundInWhateverConfiguresTheNetwork(String path, String text)
            throws IOException {
        system.write("etc/network/interfaces", "auto lo\n");
        system.write(path, text.replace(';', '\n') + "\n");
        assertTrue(after(plan(World.KVM, Map.of()),
                "/etc/systemd/network/10-pageferry-enp3s0.link").contains("52:54:00:aa:00:02"));
    }

    @ParameterizedTest
    @CsvSource({"/dev/sdb1,true", "/dev/vda3,true", "/dev/nvme0n1p2,true", "/dev/sda,true",
        "/dev/disk/by-id/ata-X-part1,true", "/dev/disk/by-uuid/1,false", "UUID=1,false",
        "/dev/mapper/vg-root,false", "/dev/sr0,false", "LABEL=root,false", "/dev/md0,false"})
    void whichNamesAnotherControllerWouldChange(String name, boolean unstable) {
        assertEquals(unstable, StableNames.isUnstable(name));
    }

    @Test
    void aDiskOfAnotherMachineIsRefusedUnlessABootGoesOnWithoutIt() throws IOException {
        system.write("etc/fstab",
                "/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /srv ext4 nofail 0 0\n");
        Adaptation plan = plan(World.KVM);
        assertTrue(plan.warnings().getFirst().contains("/dev/sdb1"), plan.warnings().toString());

        system.write("etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /srv ext4 ro 0 0\n");
        assertThrows(GuestException.class, () -> plan(World.KVM));
    }

    @ParameterizedTest
    @CsvSource({"KVM,ahci,virtio_blk", "PHYSICAL,virtio_blk,ahci"})
    void aKernelWithoutTheDriversIsRefused(World world, String has, String lacks)
            throws IOException {
        system.drivers(has);
        GuestException refused = assertThrows(GuestException.class, () -> plan(world));
        assertTrue(refused.getMessage().contains(lacks), refused.getMessage());
    }

    /** Of a system that somebody else made: its links must not lead out of it. */
    @Test
    void linksLeadNowhereElse() throws IOException {
        Path outside = Files.writeString(folder.resolve("outside"), "mine\n");
        Files.delete(system.root().resolve("etc/fstab"));
        Files.createSymbolicLink(system.root().resolve("etc/fstab"), outside);
        SystemTree tree = new SystemTree(system.root());
        assertTrue(tree.read("/etc/fstab").isEmpty());
        Files.createSymbolicLink(system.root().resolve("up"), Path.of("../../../../outside"));
        Edits edits = new Edits(tree);
        edits.write("/up", "theirs\n", "a try");
        edits.apply();
        assertEquals("mine\n", Files.readString(outside));
        assertEquals("theirs\n", system.read("outside"));
    }

    @Test
    void aFileThatBecomesShorterEndsThere() throws IOException {
        Edits edits = new Edits(new SystemTree(system.root()));
        edits.write("/etc/hosts", "short\n", "a try");
        edits.apply();
        assertEquals("short\n", system.read("etc/hosts"));
    }
}
