package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.Initramfs;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A balloon that is inflated on the way. QEMU gives its pages back by punching holes, as it does
 * for free page reporting; they were sent before with what they held, and must be zero in the end.
 */
@Timeout(180)
class BalloonTest {
    private static final long MIB = 1 << 20;
    private static final long MEMORY = 256 * MIB;
    private static final long BALLOON = 48 * MIB;
    private static final List<String> MODULES = List.of("virtio", "virtio_ring",
            "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_balloon");

    /** What is free is full of something, so that a balloon takes pages that were sent. */
    private static final String SCRIPT = """
            for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev \\
                    virtio_pci virtio_balloon; do
                insmod "/modules/$module.ko"
            done
            while ! grep -q . /run/set.stat || [ "$(cat /run/set.stat)" = "0 0" ]; do
                read -t 0.1 line < /run/wait.tick
            done
            n=0
            while [ $n -lt 20 ]; do
                dd if=/run/template of=/run/full bs=1M count=2 seek=$((n * 2)) conv=notrunc \\
                    2>/dev/null
                n=$((n + 1))
            done
            rm /run/full
            echo "balloon ready"
            """;

    @TempDir
    Path folder;

    private Rig rig;

    @BeforeEach
    void make() throws IOException {
        E2e.needTracking();
        rig = new Rig(folder);
    }

    @AfterEach
    void end() throws IOException {
        rig.close();
    }

    @Test
    void whatTheBalloonTakesOnTheWayIsZeroAtTheTarget() throws IOException {
        DemoMachine machine = machine();
        Home home = Home.boot(rig, machine);
        Poll.until(() -> home.console().contains("balloon ready"), () -> "no balloon driver");
        Path monitor = monitor(home.qemu());
        long whole = actual(home.qemu());
        DemoQemu next = rig.waiting(machine);
        Agent target = rig.receive(next, "");
        // It writes more than the link takes: five rounds without progress, a second each.
        Agent source = rig.migrate(home.qemu(), target, "", "--max-downtime", "1ms",
                "--bandwidth", "24MiB/s", "--after", "keep");
        source.await("round 0", event -> event.path("event").asText().equals("round"));
        // QEMU looks once a second whether somebody is at the terminal.
        try (FileChannel terminal = FileChannel.open(monitor, StandardOpenOption.WRITE)) {
            terminal.write(ByteBuffer.wrap(("balloon " + (whole - BALLOON) / MIB + "\n")
                    .getBytes(StandardCharsets.US_ASCII)));
            E2e.assertMoved(source, target);
        }
        assertEquals(whole - BALLOON, actual(home.qemu()), "inflated before the pause");
        assertTrue(zeros(source) >= BALLOON / 4 / 4096, source::toString);
        assertEquals(2, source.report().at("/guest/regions").size(), source::toString);
        assertTrue(ShapesTest.warnsOfKeeping(source), source::toString);
        rig.awaitNothingLeft();
        assertEquals(whole - BALLOON, actual(next));
        home.livesOnAt(next);
    }

    private static long actual(DemoQemu qemu) throws IOException {
        try (QemuControl control = qemu.control()) {
            return control.qmp().execute("query-balloon").path("actual").asLong();
        }
    }

    /** The terminal of its human monitor; the agent holds the other one. */
    private static Path monitor(DemoQemu qemu) throws IOException {
        try (QemuControl control = qemu.control()) {
            for (JsonNode one : control.qmp().execute("query-chardev")) {
                if (one.path("label").asText().equals("hmp")) {
                    return Path.of(one.path("filename").asText().replaceFirst("^pty:", ""));
                }
            }
        }
        throw new AssertionError("no human monitor");
    }

    /** Pages that were sent with something in them in round 0 and as zero later. */
    private static long zeros(Agent source) throws IOException {
        long zeros = 0;
        for (JsonNode round : source.report().path("rounds")) {
            zeros += round.path("round").asLong() > 0 ? round.path("zero").asLong() : 0;
        }
        return zeros;
    }

    /** With a DIMM too, and twice as many writes as the link takes. */
    private DemoMachine machine() throws IOException {
        DemoTools tools = TestMachines.tools();
        Path modules = tools.kernel().toAbsolutePath().resolveSibling("modules");
        SortedMap<String, Path> files = new TreeMap<>();
        for (String name : MODULES) {
            Path module = modules.resolve(name + ".ko");
            Assumptions.assumeTrue(Files.exists(module), "no " + module);
            files.put("modules/" + name + ".ko", module);
        }
        files.put("more.sh", Files.writeString(folder.resolve("more.sh"), SCRIPT));
        Path archive = folder.resolve("balloon.cpio.gz");
        Initramfs.write(archive, tools.busybox(), files);
        GuestLoad load = new GuestLoad(10, 16, 4 << 10, 32, 48 << 10, true);
        return new DemoMachine(tools, load, MEMORY, 2, DemoMachine.Memory.FILE, List.of(
                "-device", "virtio-balloon-pci,id=bal0", "-initrd", archive.toString(),
                "-m", "slots=2,maxmem=1G",
                "-object", "memory-backend-memfd,id=dimm0,size=128M,share=on",
                "-device", "pc-dimm,memdev=dimm0,id=slot0",
                "-chardev", "pty,id=hmp", "-mon", "chardev=hmp"));
    }
}
