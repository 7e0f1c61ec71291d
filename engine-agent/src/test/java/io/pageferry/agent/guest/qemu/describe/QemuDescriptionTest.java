package io.pageferry.agent.guest.qemu.describe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.StartDescription;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * QEMUs whose machine changed since they were started. What is said of one is believed when a
 * second QEMU that is started so has the same facts.
 */
class QemuDescriptionTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void end() throws InterruptedException {
        for (Process one : processes) {
            one.destroyForcibly();
            one.waitFor();
        }
    }

    private Path monitor(String name) {
        return folder.resolve(name + ".qmp");
    }

    /** Starts one whose guest does nothing: no vCPU runs. */
    private void start(String name, List<String> words) throws IOException {
        List<String> command = new ArrayList<>(words);
        Path log = folder.resolve(name + ".log");
        Process process = new ProcessBuilder(command).directory(folder.toFile())
                .redirectErrorStream(true).redirectOutput(log.toFile()).start();
        processes.add(process);
        await(() -> answers(name) || !process.isAlive());
        assertTrue(process.isAlive(), () -> {
            try {
                return command + ": " + Files.readString(log);
            } catch (IOException e) {
                return e.toString();
            }
        });
    }

    /** What is waited for. */
    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void await(Condition condition) throws IOException {
        long end = System.nanoTime() + Requirements.HANG.toNanos();
        while (!condition.holds()) {
            assertTrue(System.nanoTime() - end < 0, "it hangs");
            LockSupport.parkNanos(10_000_000);
        }
    }

    private boolean answers(String name) {
        try (QemuControl qemu = QemuControl.connect(monitor(name))) {
            return qemu.qmp().isOpen();
        } catch (IOException e) {
            return false;
        }
    }

    private void source(String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(TestMachines.tools().qemu().toString(),
                "-nodefaults", "-display", "none", "-S", "-qmp",
                "unix:" + monitor("a") + ",server=on,wait=off"));
        command.addAll(List.of(more));
        start("a", command);
    }

    private Path disk(String name) throws IOException {
        Path disk = folder.resolve(name);
        try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
            file.setLength(1 << 20);
        }
        return disk;
    }

    private void tell(String command, String arguments) throws IOException {
        try (QemuControl qemu = QemuControl.connect(monitor("a"))) {
            qemu.qmp().execute(command,
                    (ObjectNode) JSON.readTree(arguments.replace('\'', '"')));
        }
    }

    private StartDescription describe() throws GuestException {
        GuestUri uri = GuestUri.parse("qemu:" + monitor("a"));
        return GuestKinds.of(uri).describe(uri);
    }

    private static String text(StartDescription description) {
        return new String(description.file(), StandardCharsets.UTF_8);
    }

    private static QemuFacts facts(Path monitor) throws IOException {
        try (QemuControl qemu = QemuControl.connect(monitor)) {
            return QemuProbe.read(qemu);
        }
    }

    @Test
    void aSharedFolderHasNoAddressOfItsOwn() throws IOException {
        source("-device", "usb-ehci,id=usb", "-device", "usb-tablet,id=gone", "-virtfs",
                "local,security_model=none,mount_tag=t,path=" + folder, "-device",
                "virtio-rng-pci");
        assertEquals(List.of(), describe().untold());
        tell("device_add", "{'driver':'usb-kbd','id':'kbd'}");
        assertExact();
        tell("device_del", "{'id':'gone'}");
        assertTrue(describe().untold().toString().contains("-virtfs"));
    }

    /** Starts a second one as is said of the first, and compares the two. */
    private StartDescription assertExact() throws IOException {
        StartDescription said = describe();
        assertEquals(List.of(), said.untold());
        UnaryOperator<String> there = word -> word.replace(monitor("a").toString(),
                monitor("b").toString());
        start("b", said.arguments().stream().map(there).toList());
        Map<String, String> source = facts(monitor("a")).asMap();
        Map<String, String> target = facts(monitor("b")).asMap();
        assertEquals(List.of(), QemuFacts.compare(source, target), text(said));
        assertEquals(source.get("qemu.smp"), target.get("qemu.smp"));
        return said;
    }

    @Test
    void whatQemuChoseIsNamed() throws IOException {
        // A number of QEMU may be hexadecimal.
        source("-drive", "index=0x1,format=raw,file=" + disk("d"));
        StartDescription said = assertExact();
        assertTrue(said.arguments().containsAll(List.of("pc-i440fx-7.2", "qemu64", "128M")),
                () -> text(said));
        assertEquals(List.of("-S", "-incoming", "defer"), said.arguments().subList(
                said.arguments().size() - 3, said.arguments().size()));
        assertTrue(said.host().contains("socket: unix:" + monitor("a")), said.host()::toString);
        assertTrue(text(said).contains("# host socket: unix:" + monitor("a") + "\n-qmp unix:"
                + monitor("a")), () -> text(said));
    }

    @Test
    void aliasesBecomeTheVersionThatTheyMean() throws IOException {
        source("-machine", "q35,usb=off", "-M", "accel=kvm:tcg", "-m", "64M", "-smp", "2",
                "-no-shutdown", "-drive",
                "if=none,id=d,format=raw,file=" + disk("ü a,b").getFileName().toString()
                        .replace(",", ",,"));
        StartDescription said = assertExact();
        assertTrue(said.arguments().containsAll(List.of("pc-q35-7.2,usb=off", "accel=tcg",
                "-no-shutdown", "if=none,id=d,format=raw,file=" + folder.toString().replace(",",
                ",,") + "/ü a,,b")), () -> text(said));
    }

    @Test
    void whatWasPluggedAndUnpluggedAndChangedIsSaid() throws IOException {
        source("-machine", "pc", "-m", "64M,slots=2,maxmem=256M", "-smp",
                "1,maxcpus=2,sockets=2", "-drive", "if=virtio,format=raw,file=" + disk("one"),
                "-device", "virtio-serial-pci,id=first",
                "-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0",
                "-drive", "if=none,id=cd,media=cdrom,format=raw,file=" + disk("cd"),
                "-device", "ide-cd,drive=cd,id=cd0",
                "-drive", "if=none,id=cd2,media=cdrom", "-device", "ide-cd,drive=cd2,id=cd3",
                "-object", "rng-builtin,id=old", "-device", "usb-ehci,id=usb",
                "-device", "usb-tablet,id=gone,bus=usb.0",
                "-device", "virtio-balloon-pci");
        // What is on PCI goes when the guest agrees, or is reset; the others are placed by QEMU.
        tell("device_del", "{'id':'first'}");
        tell("system_reset", "{}");
        await(() -> !facts(monitor("a")).devices().containsKey("first"));
        tell("device_del", "{'id':'gone'}");
        tell("object-del", "{'id':'old'}");
        tell("eject", "{'id':'cd0','force':true}");
        tell("blockdev-change-medium", "{'id':'cd3','filename':'" + disk("other")
                + "','format':'raw'}");
        tell("netdev_add", "{'type':'user','id':'n1'}");
        tell("device_add", "{'driver':'e1000','id':'net1','netdev':'n1','addr':'0x1e',"
                + "'mac':'52:54:00:00:00:07'}");
        tell("blockdev-add", "{'driver':'raw','node-name':'two','file':{'driver':'file',"
                + "'filename':'" + disk("two") + "'}}");
        tell("device_add", "{'driver':'virtio-blk-pci','id':'blk1','drive':'two',"
                + "'serial':'x,y'}");
        tell("object-add", "{'qom-type':'memory-backend-ram','id':'m1','size':67108864}");
        tell("device_add", "{'driver':'pc-dimm','id':'dimm1','memdev':'m1'}");
        tell("device_add", "{'driver':'qemu64-x86_64-cpu','id':'cpu1','socket-id':1,"
                + "'core-id':0,'thread-id':0}");
        tell("device_add", "{'driver':'usb-kbd','id':'kbd','bus':'usb.0'}");
        StartDescription said = assertExact();
        String text = text(said);
        assertTrue(text.contains("left out: -device usb-tablet,id=gone,bus=usb.0: unplugged"),
                text);
        assertTrue(text.contains("left out: -object rng-builtin,id=old: deleted"), text);
        assertTrue(text.contains("\n-drive if=none,id=cd,media=cdrom\n"), text);
        assertTrue(text.contains("file=" + folder.resolve("other") + ",format=raw\n"), text);
        assertTrue(text.contains("serial=x,,y"), text);
        assertTrue(text.contains("-netdev user,id=n1,"), text);
        assertFalse(said.arguments().contains("rng-builtin,id=old"), text);
        assertEquals(facts(monitor("a")).layout(), facts(monitor("b")).layout());
    }

    @Test
    void whatCannotBeToldIsAskedFor() throws IOException {
        source("-machine", "pc", "-device", "virtio-rng-pci");
        tell("chardev-add", "{'id':'c1','backend':{'type':'null','data':{}}}");
        tell("device_add", "{'driver':'pci-serial','id':'s1','chardev':'c1'}");
        StartDescription said = describe();
        assertEquals(1, said.untold().size(), said.untold()::toString);
        assertTrue(said.untold().getFirst().contains("character device c1"), said::toString);
        assertTrue(text(said).contains("\n! the character device c1"), () -> text(said));
        tell("device_add", "{'driver':'virtio-rng-pci'}");
        assertTrue(describe().untold().toString().contains("without an id"));
    }

    @Test
    void oneWithDescriptorsOfOthersIsRefused() throws IOException {
        start("a", List.of("/bin/sh", "-c", "exec \"$@\" 3</dev/null", "sh",
                TestMachines.tools().qemu().toString(), "-nodefaults", "-display", "none", "-S",
                "-qmp", "unix:" + monitor("a") + ",server=on,wait=off",
                "-add-fd", "fd=3,set=1"));
        GuestException refused = assertThrows(GuestException.class, this::describe);
        assertTrue(refused.remedy().contains("libvirt:DOMAIN"), refused.remedy());
    }

    @Test
    void kindsThatNeedNoDescriptionSaySo() {
        GuestUri uri = GuestUri.parse("workload:1MiB");
        assertTrue(assertThrows(IllegalArgumentException.class,
                () -> GuestKinds.of(uri).describe(uri)).getMessage()
                .contains("needs no description"));
    }
}
