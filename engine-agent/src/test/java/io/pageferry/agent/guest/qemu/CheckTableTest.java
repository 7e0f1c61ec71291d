package io.pageferry.agent.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoMachine.Memory;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.guest.GuestKind.Finding;
import io.pageferry.agent.guest.GuestKind.Verdict;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.qemu.qmp.FakeMonitor;
import io.pageferry.agent.guest.qemu.qmp.MonitorAddress;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.migration.GuestException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A QEMU in which everything is wrong, and never runs. */
@Sampled
class CheckTableTest {
    @TempDir
    Path folder;

    private List<String> wrong() throws IOException {
        Path disk = folder.resolve("disk");
        try (RandomAccessFile image = new RandomAccessFile(disk.toFile(), "rw")) {
            image.setLength(1 << 20);
        }
        return new ArrayList<>(List.of("-S", "-m", "slots=2,maxmem=1G",
                "-object", "memory-backend-ram,id=private,size=64M",
                "-device", "pc-dimm,memdev=private",
                "-object", "memory-backend-file,id=off,size=64M,share=off,mem-path=/dev/shm",
                "-device", "pc-dimm,memdev=off",
                "-object", "memory-backend-memfd,id=pipe,size=1M,share=on",
                "-device", "ivshmem-plain,memdev=pipe,id=pipe0",
                "-drive", "file=" + disk + ",format=raw,if=virtio,cache=none"));
    }

    @Test
    void everyRowNamesWhatMendsIt() throws IOException {
        DemoMachine machine = new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, 192L << 20,
                1, Memory.FILE, wrong());
        try (DemoQemu qemu = DemoQemu.source(machine, folder.resolve("vm"));
                QemuControl control = qemu.control()) {
            QemuControl.Settings settings = control.settings();
            QemuControl.Status status = control.status();
            List<Finding> rows = CheckTable.of(qemu.process().pid(), control);
            assertRow(rows, Verdict.OK, "machine", "pc-i440fx-", "");
            assertRow(rows, Verdict.REFUSED, "state", "started with -S", "cont it first");
            assertRow(rows, Verdict.REFUSED, "memory", "the guest's RAM is",
                    "leave the -object out");
            assertRow(rows, Verdict.REFUSED, "devices", "pipe0 is ivshmem-plain", "unplug");
            assertRow(rows, Verdict.OK, "disks", "the target must see the same", "");
            assertRow(rows, Verdict.OK, "process", "nothing else writes to its memory", "");
            assertEquals(settings, control.settings());
            assertEquals(status, control.status());
        }
    }

    /** It maps no memory yet: whoever does so later ends the move. */
    @Test
    void aBackendBehindAnOrdinaryCardStandsInNobodysWay() throws IOException {
        Path socket = folder.resolve("net");
        DemoMachine machine = machine(List.of("-S",
                "-chardev", "socket,id=c0,path=" + socket,
                "-netdev", "vhost-user,id=n0,chardev=c0",
                "-device", "virtio-net-pci,netdev=n0"));
        try (VhostUserStub backend = new VhostUserStub(socket);
                DemoQemu qemu = DemoQemu.source(machine, folder.resolve("vm"));
                QemuControl control = qemu.control()) {
            List<Finding> rows = CheckTable.of(qemu.process().pid(), control);
            assertTrue(backend.wasAsked());
            assertRow(rows, Verdict.OK, "devices", "virtio-net-pci", "");
            assertRow(rows, Verdict.OK, "process", "nothing else writes to its memory", "");
        }
    }

    /** It is not stopped with the guest, so to track it would not be enough. */
    @Test
    void whoeverElseMapsTheRamStandsInTheWay() throws IOException {
        Path socket = folder.resolve("net");
        DemoMachine machine = machine(List.of("-S",
                "-chardev", "socket,id=c0,path=" + socket,
                "-netdev", "vhost-user,id=n0,chardev=c0",
                "-device", "virtio-net-pci,netdev=n0"));
        try (VhostUserStub backend = new VhostUserStub(socket);
                DemoQemu qemu = DemoQemu.source(machine, folder.resolve("vm"));
                QemuControl control = qemu.control();
                Stranger other = Stranger.startProgram("write", qemu.memoryFile().toString(),
                        "1")) {
            assertTrue(backend.wasAsked());
            String who = "process " + other.pid() + " (java), which is no vhost-user backend";
            Stranger.await("a mapping", () -> holds(qemu, control, who));
            assertRow(CheckTable.of(qemu.process().pid(), control), Verdict.SCAN_ONLY, "memory",
                    who, "--tracker scan");
        }
    }

    private static boolean holds(DemoQemu qemu, QemuControl control, String words) {
        try {
            return CheckTable.of(qemu.process().pid(), control).toString().contains(words);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static DemoMachine machine(List<String> more) {
        return new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, 192L << 20, 1, Memory.FILE,
                more);
    }

    @Test
    void aTargetSaysWhatRoomThereIs() throws IOException {
        DemoMachine machine = new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, 192L << 20,
                1, Memory.FILE, List.of());
        try (DemoQemu qemu = DemoQemu.target(machine, folder.resolve("vm"));
                QemuControl control = qemu.control()) {
            List<Finding> rows = CheckTable.of(qemu.process().pid(), control);
            assertRow(rows, Verdict.OK, "room", "MiB of memory are available", "");
            assertRow(rows, Verdict.OK, "room", "MiB in /dev/shm", "");
            assertRow(rows, Verdict.OK, "room", "has filled of 192 MiB", "");
        }
    }

    /** A block of firmware that is nowhere: as migrate, check refuses what it could not save. */
    @Test
    void firmwareThatIsNotFoundIsRefusedByCheckAndByMigrate() throws IOException {
        DemoMachine machine = new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, 192L << 20);
        try (DemoQemu qemu = DemoQemu.source(machine, folder.resolve("vm"))) {
            QemuProcess real = QemuProcess.find(GuestUri.parse("qemu:" + qemu.qmp()));
            try (FakeMonitor monitor = lying(qemu, "check");
                    QemuControl control = QemuControl.connect(monitor.path())) {
                assertRow(CheckTable.of(real.pid(), control), Verdict.REFUSED, "memory",
                        "blocks of memory: ", "share=on");
            }
            try (FakeMonitor monitor = lying(qemu, "migrate")) {
                QemuProcess process = new QemuProcess(
                        new MonitorAddress.Socket(monitor.path()), real.pid(),
                        real.startTicks(), SocketFolder.draw(real.pid()));
                GuestSetup setup = new GuestSetup(TrackerChoice.SCAN, false, pid -> -1);
                GuestException refused = assertThrows(GuestException.class,
                        () -> QemuGuest.open(process, process.connect(), setup));
                assertTrue(refused.getMessage().contains("blocks of memory: "),
                        refused::getMessage);
                assertTrue(refused.getMessage().contains("phantom"), refused::getMessage);
            }
        }
    }

    /** A QEMU's own monitor, but for a block that it has not; its address as 7.2 says it: not. */
    private FakeMonitor lying(DemoQemu qemu, String name) throws IOException {
        return new FakeMonitor(folder.resolve(name), client -> {
            try (SocketChannel real = SocketChannel.open(
                    UnixDomainSocketAddress.of(qemu.qmp()));
                    BufferedReader answers = new BufferedReader(new InputStreamReader(
                            Channels.newInputStream(real), StandardCharsets.UTF_8))) {
                client.say(answers.readLine() + "\n");
                for (String line = client.in().readLine(); line != null;
                        line = client.in().readLine()) {
                    real.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
                    String answer;
                    do {
                        answer = answers.readLine();
                        client.say(answer.replace("Block Name", "phantom  4 KiB  0x0000000000000000"
                                + " 0x0000000000003000 0x0000000000003000\\nBlock Name") + "\n");
                    } while (!answer.contains("\"id\": "));
                }
            }
        });
    }

    private static void assertRow(List<Finding> rows, Verdict verdict, String what, String found,
            String remedy) {
        assertTrue(rows.stream().anyMatch(row -> row.verdict() == verdict
                && row.what().equals(what) && row.found().contains(found)
                && row.remedy().contains(remedy)), () -> what + " in " + rows);
    }
}
