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
import java.io.InputStream;
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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A balloon that is inflated on the way. QEMU gives its pages back by punching holes, as it does
 * for free page reporting; they were sent before with what they held, and must be zero in the end.
 */
@Sampled
@Tag("timing")
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

    /** Round 0 is over, and what the balloon takes was sent, when the source goes on. */
    @Test
    void whatTheBalloonTakesOnTheWayIsZeroAtTheTarget() throws IOException {
        DemoMachine machine = machine();
        MovingGuest home = MovingGuest.boot(rig, machine);
        Poll.until(() -> home.console().contains("balloon ready"), () -> "no balloon driver");
        Path monitor = monitor(home.qemu());
        long whole = actual(home.qemu());
        DemoQemu next = rig.waiting(machine);
        Agent target = rig.receive(next, "");
        Agent source = rig.migrate(home.qemu(), target, "round 0", "--after", "keep");
        source.awaitHold("round 0");
        // Its QMP monitor is the agent's.
        try (Terminal terminal = Terminal.open(monitor)) {
            terminal.say("balloon " + (whole - BALLOON) / MIB);
            Poll.until(() -> terminal.ask("info balloon")
                    .contains("actual=" + (whole - BALLOON) / MIB), () -> "it is not inflated");
        }
        source.goOn();
        E2e.assertMoved(source, target);
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

    /** QEMU's end of a terminal; it looks once a second whether somebody is at the other. */
    private record Terminal(FileChannel keys, InputStream screen) implements AutoCloseable {
        static Terminal open(Path path) throws IOException {
            return new Terminal(FileChannel.open(path, StandardOpenOption.WRITE),
                    Files.newInputStream(path));
        }

        void say(String line) throws IOException {
            keys.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII)));
        }

        /** Says a line; returns what is on the screen in the end, which may come later. */
        String ask(String line) throws IOException {
            say(line);
            byte[] shown = new byte[1 << 16];
            int bytes = screen.read(shown);
            return new String(shown, 0, Math.max(0, bytes), StandardCharsets.US_ASCII);
        }

        @Override
        public void close() throws IOException {
            keys.close();
            screen.close();
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

    /** With a DIMM too. */
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
        GuestLoad load = new GuestLoad(10, 16, 4 << 10, 0, 0, true);
        return new DemoMachine(tools, load, MEMORY, 2, DemoMachine.Memory.FILE, List.of(
                "-device", "virtio-balloon-pci,id=bal0", "-initrd", archive.toString(),
                "-m", "slots=2,maxmem=1G",
                "-object", "memory-backend-memfd,id=dimm0,size=128M,share=on",
                "-device", "pc-dimm,memdev=dimm0,id=slot0",
                "-chardev", "pty,id=hmp", "-mon", "chardev=hmp"));
    }
}
