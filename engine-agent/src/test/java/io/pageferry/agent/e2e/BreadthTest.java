package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Guests as people have them, with all that their command lines put together, each moved once:
 * the rows of the table in docs/OPERATIONS.md that are no shape of memory.
 */
@Sampled
class BreadthTest {
    /** Stands for the test's folder. */
    private static final String FOLDER = "%F";
    /** Stands for {@code source} or {@code target}. */
    private static final String SIDE = "%S";

    @TempDir
    Path folder;

    private final List<AutoCloseable> open = new ArrayList<>();
    private Rig rig;

    /**
     * One row.
     *
     * @param name      what it is
     * @param arguments of both QEMUs
     * @param script    what a shell does to QEMU's own file systems first; empty: it has none
     * @param refusal   words of the source's refusal; empty where it moves
     */
    record Row(String name, List<String> arguments, String script, String refusal) {
        Row(String name, String... arguments) {
            this(name, List.of(arguments), "", "");
        }

        List<String> arguments(Path folder, String side) {
            return arguments.stream().map(one -> one.replace(FOLDER, folder.toString())
                    .replace(SIDE, side)).toList();
        }

        List<String> prefix(Path folder) {
            return script.isEmpty() ? List.of() : List.of("unshare", "--mount", "--pid", "--fork",
                    "--kill-child", "--mount-proc", "sh", "-c", script.replace(FOLDER,
                    folder.toString()) + "; exec \"$@\"", "sh");
        }

        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeEach
    void make() throws IOException {
        E2e.needTracking();
        TestMachines.tools();
        rig = new Rig(folder);
        rig.openToAll();
        for (String name : List.of("scsi.img", "cd.iso")) {
            try (RandomAccessFile file = new RandomAccessFile(folder.resolve(name).toFile(),
                    "rw")) {
                file.setLength(4 << 20);
            }
        }
    }

    @AfterEach
    void end() throws Exception {
        if (rig != null) {
            rig.close();
        }
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
    }

    static Stream<Row> rows() {
        List<Row> all = List.of(pc(), q35(), nodes(), tpm(),
                new Row("locked and preallocated memory, sandbox",
                        "-overcommit", "mem-lock=on", "-mem-prealloc", "-sandbox",
                        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"),
                new Row("another user", "-runas", "nobody"),
                new Row("namespaces of its own, and the agent's temporary folder not in them",
                        List.of(), "mount -t tmpfs own %F/tmp", ""),
                new Row("a file system that QEMU may not write", List.of(),
                        "set -e; mount --bind %F %F; mount --rbind /tmp /tmp;"
                        + " mount -o remount,bind,ro /tmp; for at in %F/tmp /var/tmp /run"
                        + " /dev/shm; do mount -t tmpfs -o ro own $at; done",
                        "cannot write where its state"),
                new Row("a device that cannot be migrated", List.of(
                        "-drive", "file=%F/scsi.img,format=raw,if=none,id=n0,readonly=on",
                        "-device", "nvme,drive=n0,serial=1"), "", "non-migratable device"));
        return Draw.sample(all, SampleCondition.sampled() ? 1 : all.size()).stream();
    }

    private static Row pc() {
        return new Row("pc, 257 MiB: disks, CDs with and without a medium, several cards, qxl",
                "-machine", "pc", "-m", "257M", "-vga", "qxl",
                "-device", "virtio-scsi-pci,id=scsi0",
                "-drive", "file=%F/scsi.img,format=raw,if=none,id=d0",
                "-device", "scsi-hd,drive=d0,bus=scsi0.0",
                "-device", "lsi53c895a", "-device", "megasas",
                "-drive", "if=none,id=cd0,media=cdrom", "-device", "scsi-cd,drive=cd0,bus=scsi0.0",
                "-drive", "file=%F/cd.iso,format=raw,if=none,id=cd1,media=cdrom,readonly=on",
                "-device", "ide-cd,drive=cd1", "-device", "virtio-serial-pci",
                "-chardev", "socket,id=ga,path=%F/agent-%S,server=on,wait=off",
                "-device", "virtserialport,chardev=ga,name=org.qemu.guest_agent.0",
                "-netdev", "user,id=n0", "-device", "e1000,netdev=n0",
                "-netdev", "user,id=n1", "-device", "e1000,netdev=n1",
                "-netdev", "user,id=n2", "-device", "virtio-net-pci,netdev=n2",
                "-netdev", "user,id=n3", "-device", "virtio-net-pci,netdev=n3",
                "-device", "usb-ehci", "-device", "usb-tablet", "-device", "virtio-rng-pci",
                "-device", "virtio-balloon-pci,free-page-reporting=on", "-device", "pvpanic",
                "-device", "vmgenid", "-fsdev", "local,id=f0,path=%F,security_model=none",
                "-device", "virtio-9p-pci,fsdev=f0,mount_tag=unused");
    }

    private static Row q35() {
        return new Row("q35, 129 MiB of a memfd, 16 vCPUs: root ports, virtio-gpu, USB, sound",
                "-object", "memory-backend-memfd,id=ram,size=129M,share=on", "-m", "129M",
                "-machine", "q35,kernel-irqchip=off,memory-backend=ram", "-smp", "16",
                "-cpu", "EPYC-v3", "-device", "intel-iommu", "-device", "virtio-vga",
                "-device", "bochs-display", "-device", "pcie-root-port,id=rp1,chassis=1,slot=1",
                "-netdev", "user,id=n0", "-device", "virtio-net-pci,bus=rp1,netdev=n0",
                "-netdev", "user,id=n1", "-device", "e1000e,netdev=n1",
                "-netdev", "user,id=n2", "-device", "vmxnet3,netdev=n2",
                "-netdev", "user,id=n3", "-device", "rtl8139,netdev=n3",
                "-device", "qemu-xhci", "-device", "usb-tablet", "-device", "usb-kbd",
                "-drive", "file=%F/scsi.img,format=raw,if=none,id=u0",
                "-device", "usb-storage,drive=u0", "-device", "i6300esb",
                "-audiodev", "none,id=au", "-device", "ich9-intel-hda",
                "-device", "hda-duplex,audiodev=au");
    }

    private static Row nodes() {
        return new Row("two NUMA nodes, a DIMM and an nvdimm",
                "-machine", "pc,nvdimm=on", "-smp", "2", "-m", "96M,slots=3,maxmem=1G",
                "-object", "memory-backend-ram,id=n0,size=48M", "-numa", "node,memdev=n0,cpus=0",
                "-object", "memory-backend-ram,id=n1,size=48M", "-numa", "node,memdev=n1,cpus=1",
                "-object", "memory-backend-ram,id=m2,size=128M",
                "-device", "pc-dimm,memdev=m2,id=dimm2", "-object",
                "memory-backend-file,id=m3,size=16M,share=on,mem-path=%F/nvdimm-%S",
                "-device", "nvdimm,memdev=m3");
    }

    private static Row tpm() {
        return new Row("a TPM of swtpm, each side with a state of its own",
                "-chardev", "socket,id=tpm,path=%F/tpm-%S",
                "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm0");
    }

    private SmallGuest start(Row row, String side, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(SmallGuest.disk(folder));
        arguments.addAll(row.arguments(folder, side));
        arguments.addAll(List.of(more));
        if (arguments.toString().contains("tpm-" + side)) {
            swtpm(side);
        }
        return keep(SmallGuest.start(folder.resolve(side), row.prefix(folder), arguments));
    }

    private void swtpm(String side) throws IOException {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/swtpm")),
                "swtpm is not installed");
        Path state = Files.createDirectories(folder.resolve("tpm-state-" + side));
        Path socket = folder.resolve("tpm-" + side);
        Process process = new ProcessBuilder("swtpm", "socket", "--tpm2", "--tpmstate", "dir="
                + state, "--ctrl", "type=unixio,path=" + socket).redirectErrorStream(true)
                .redirectOutput(new File(socket + ".log")).start();
        keep(() -> process.destroyForcibly().waitFor());
        Poll.until(() -> Files.exists(socket), () -> "swtpm does not listen");
    }

    private <T extends AutoCloseable> T keep(T one) {
        open.add(one);
        return one;
    }

    @ParameterizedTest
    @MethodSource("rows")
    void movesOrSaysWhyNot(Row row) throws IOException {
        SmallGuest home = start(row, "source");
        home.worksOn();
        Agent check = rig.start("", List.of("check", home.uri()));
        assertEquals(row.refusal().isEmpty() ? 0 : 3, check.exit(), check::toString);
        if (!row.refusal().isEmpty()) {
            Agent source = rig.start("", List.of("migrate", home.uri(), "--to", "127.0.0.1:9"));
            E2e.assertEnds(3, "refused", source);
            for (Agent one : List.of(check, source)) {
                assertTrue(one.words().contains(row.refusal()), one::toString);
            }
            home.worksOn();
            return;
        }
        SmallGuest next = start(row, "target", "-S", "-incoming", "defer");
        Agent other = rig.start("", List.of("check", next.uri()));
        assertEquals(0, other.exit(), other::toString);
        move(home, next);
        next.worksOn();
    }

    private void move(SmallGuest home, SmallGuest next) throws IOException {
        Agent target = rig.start("", List.of("receive", next.uri(), "--listen", "127.0.0.1:0",
                "--once"));
        Agent source = rig.start("", List.of("migrate", home.uri(), "--to", target.address()));
        E2e.assertMoved(source, target);
        rig.awaitNothingLeft();
    }

    /** Its images are nobody's in between: none of the three has them before somebody says cont. */
    @Test
    void whatStandsStillMovesOnAndOnWithItsDisks() throws IOException {
        Path disk = folder.resolve("disk.qcow2");
        DiskGuest.run("qemu-img", "create", "-q", "-f", "qcow2", disk.toString(), "8M");
        Row row = new Row("paused", "-drive", "file=" + disk + ",format=qcow2,if=virtio");
        SmallGuest home = start(row, "source");
        home.worksOn();
        try (QemuControl control = home.other()) {
            control.stop();
        }
        for (String side : List.of("second", "third", "fourth")) {
            SmallGuest next = start(row, side, "-S", "-incoming", "defer");
            move(home, next);
            home = next;
        }
        try (QemuControl control = home.other()) {
            assertEquals("paused", control.status().state().toString());
            assertTrue(control.cont().running());
        }
        home.worksOn();
    }

    /** Firmware variables in a file of each host, and a disk that both see: as libvirt has it. */
    @Test
    void theVariablesOfAUefiGuestGoAlongToAFileOfTheTarget() throws IOException {
        Path ovmf = Path.of("/usr/share/OVMF");
        Path code = ovmf.resolve("OVMF_CODE_4M.fd");
        Assumptions.assumeTrue(Files.exists(code), "ovmf is not installed");
        for (String side : List.of("source", "target")) {
            Files.copy(ovmf.resolve("OVMF_VARS_4M.fd"), folder.resolve("vars-" + side));
        }
        Row row = new Row("UEFI", "-machine", "q35", "-m", "128M",
                "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=" + code,
                "-drive", "if=pflash,format=raw,unit=1,file=%F/vars-%S",
                "-drive", "file=%F/scsi.img,format=raw,if=virtio",
                "-serial", "file:%F/serial-%S");
        SmallGuest home = keep(SmallGuest.start(folder.resolve("source"), List.of(),
                row.arguments(folder, "source")));
        Poll.until(() -> said("source", "Shell>"), () -> "the firmware has no shell");
        home.type("set before moved\n");
        // In UTF-16, as the specification of UEFI has names of variables.
        Poll.until(() -> new String(Files.readAllBytes(folder.resolve("vars-source")),
                StandardCharsets.ISO_8859_1).contains(UTF_16), () -> "no variable was set");
        List<String> arguments = new ArrayList<>(row.arguments(folder, "target"));
        arguments.addAll(List.of("-S", "-incoming", "defer"));
        SmallGuest next = keep(SmallGuest.start(folder.resolve("target"), List.of(), arguments));
        move(home, next);
        next.type("set\n");
        Poll.until(() -> said("target", "before") && said("target", "moved"),
                () -> "the shell does not go on");
        assertTrue(new String(Files.readAllBytes(folder.resolve("vars-target")),
                StandardCharsets.ISO_8859_1).contains(UTF_16), "the target's file is as it was");
    }

    private static final String UTF_16 = new String("before".getBytes(StandardCharsets.UTF_16LE),
            StandardCharsets.ISO_8859_1);

    private boolean said(String side, String words) throws IOException {
        return new String(Files.readAllBytes(folder.resolve("serial-" + side)),
                StandardCharsets.ISO_8859_1).contains(words);
    }
}
