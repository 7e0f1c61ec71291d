package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that move a domain between unmodified libvirts: a plain one, with a disk past the cache, a
 * network card, a console and the channel of a guest agent. It ticks on its second serial line.
 */
@Sampled
abstract class WithLibvirt {
    static final String NAME = "web";
    static final String GUEST = "libvirt:" + NAME;
    static final String MAC = "52:54:00:0e:bc:02";

    private static final String SCRIPT = "guest-managed.sh";
    private static final List<String> MODULES = List.of("virtio_ring", "virtio",
            "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk",
            "virtio_console");

    @TempDir
    Path folder;

    final List<LibvirtHost> hosts = new ArrayList<>();
    Rig rig;
    Path image;
    private Path console;
    private DemoMachine machine;

    @BeforeEach
    final void startHosts() throws IOException {
        rig = new Rig(folder);
        rig.openToAll();
        console = folder.resolve("console");
        image = folder.resolve("disk.qcow2");
        DiskGuest.run("qemu-img", "create", "-q", "-f", "qcow2", image.toString(), "64M");
        addHost("a");
        addHost("b");
        boot(E2e.CALM);
    }

    final void addHost(String name) throws IOException {
        hosts.add(LibvirtHost.start(Files.createDirectory(folder.resolve(name))));
    }

    /** Defines it at the first host, and starts it there. */
    final void boot(GuestLoad load) throws IOException {
        machine = E2e.machine(load);
        Path xml = Files.writeString(folder.resolve("web.xml"), xml());
        host(0).must("define", xml.toString());
        boot(0);
    }

    /** Starts it where it is defined. */
    final void boot(int at) throws IOException {
        Files.deleteIfExists(console);
        host(at).must("start", NAME);
        Poll.until(() -> log().ready(), () -> "it did not boot");
    }

    @AfterEach
    final void endHosts() throws IOException {
        try {
            if (rig != null) {
                rig.close();
            }
        } finally {
            for (LibvirtHost host : hosts) {
                host.close();
            }
        }
    }

    /** {@return whether the kernel's modules are here by which it is more than its memory} */
    static boolean isWhole() {
        return modules().values().stream().allMatch(Files::exists);
    }

    private static SortedMap<String, Path> modules() {
        Path folder = TestMachines.tools().kernel().toAbsolutePath().resolveSibling("modules");
        SortedMap<String, Path> files = new TreeMap<>();
        for (String name : MODULES) {
            files.put("modules/" + name + ".ko", folder.resolve(name + ".ko"));
        }
        return files;
    }

    private SortedMap<String, Path> more() throws IOException {
        SortedMap<String, Path> files = modules();
        if (!isWhole()) {
            return new TreeMap<>();
        }
        Path script = folder.resolve(SCRIPT);
        try (InputStream in = WithLibvirt.class.getResourceAsStream(SCRIPT)) {
            Files.write(script, in.readAllBytes());
        }
        files.put("more.sh", script);
        return files;
    }

    private String xml() throws IOException {
        TestMachines.Boot boot =
                TestMachines.boot(machine, folder.resolve("initramfs.gz"), more());
        // libvirt gives each file of a domain to its user, and writes down whose it was.
        Path kernel = Files.copy(Path.of(boot.kernel()), folder.resolve("vmlinuz"));
        return """
                <domain type='qemu'>
                  <name>%s</name>
                  <memory unit='b'>%d</memory>
                  <vcpu>1</vcpu>
                  <os>
                    <type arch='x86_64' machine='pc'>hvm</type>
                    <kernel>%s</kernel><initrd>%s</initrd><cmdline>%s</cmdline>
                  </os>
                  <features><acpi/><apic/></features>
                  <cpu mode='custom'><model>qemu64</model></cpu>
                  <devices>
                    <emulator>%s</emulator>
                    <disk type='file' device='disk'>
                      <driver name='qemu' type='qcow2' cache='none' io='native'/>
                      <source file='%s'/><target dev='vda' bus='virtio'/>
                    </disk>
                    <interface type='bridge'>
                      <source bridge='br0'/><mac address='%s'/><model type='virtio'/>
                    </interface>
                    <serial type='pty'/>
                    <serial type='file'><source path='%s' append='on'/></serial>
                    <channel type='unix'>
                      <target type='virtio' name='org.qemu.guest_agent.0'/>
                    </channel>
                  </devices>
                </domain>
                """.formatted(NAME, machine.memoryBytes(), kernel, boot.initramfs(),
                boot.parameters().replace("ttyS0", "ttyS1"), machine.tools().qemu(), image, MAC,
                console);
    }

    final LibvirtHost host(int number) {
        return hosts.get(number % 2);
    }

    final ConsoleLog log() throws IOException {
        return ConsoleLog.read(console);
    }

    final Agent receive(int at, String hold, String... more) throws IOException {
        Path socket = folder.resolve("to" + at % 2 + ".sock");
        Agent agent = rig.start(new Agent.Start(host(at).prefix(), List.of(),
                WithRig.with(List.of("receive", GUEST, "--listen", "unix:" + socket, "--once"),
                        more), hold));
        agent.address();
        return agent;
    }

    final Agent migrate(int from, String to, String hold, String... more) throws IOException {
        return rig.start(new Agent.Start(host(from).prefix(), List.of(),
                WithRig.with(List.of("migrate", GUEST, "--to", to), more), hold));
    }

    final void ticksOn() throws IOException {
        long goal = log().lastTick() + 5;
        Poll.until(() -> log().lastTick() >= goal, () -> "stopped before tick " + goal);
        assertEquals(List.of(), log().gaps());
        assertEquals(List.of(), log().problems());
        assertEquals(0, log().bad());
    }

    /** What a source says of its domain, in other words. */
    final String described(String what, String instead) throws IOException {
        return Files.writeString(folder.resolve("other.xml"),
                host(0).must("dumpxml", NAME, "--migratable").replaceFirst(what, instead))
                .toString();
    }

    /** Whose its disk is. */
    final String owner() throws IOException {
        return Files.getAttribute(image, "unix:uid") + ":" + Files.getAttribute(image, "unix:gid");
    }

    /** It runs there and nowhere else, and lost nothing and did nothing twice. */
    final void livesAt(int at) throws IOException {
        assertEquals("running", host(at).state(NAME));
        assertFalse(host(at + 1).state(NAME).matches("running|paused"));
        ticksOn();
    }
}
