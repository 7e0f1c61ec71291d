package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoMachine.Memory;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Machines as people build them, each moved once. What is no RAM of theirs, video memory too,
 * goes with the device state.
 */
@Sampled
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ShapesTest {
    private static final long MEMORY = 192L << 20;
    /** Text of a VGA, as a real mode program sees it; 80 x 25 letters with their colours. */
    private static final long TEXT = 0xb8000;
    private static final int TEXT_BYTES = 4000;
    private static final String OLD = "a machine whose devices are not saved alone, VGA";

    @TempDir
    static Path folder;

    private Rig rig;

    /**
     * One row.
     *
     * @param name    what it stands for
     * @param memory  where its RAM is
     * @param vcpus   1 to 4
     * @param more    arguments
     */
    record Shape(String name, Memory memory, int vcpus, List<String> more) {
        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeAll
    void make() throws IOException {
        E2e.needTracking();
        rig = new Rig(folder);
    }

    @AfterAll
    void end() throws IOException {
        if (rig != null) {
            rig.close();
        }
    }

    static Stream<Shape> shapes() throws IOException {
        List<Shape> all = List.of(
                new Shape("q35, two memfds, 2 vCPUs, VGA, virtio, sandbox", Memory.TWO_MEMFDS, 2,
                        q35()),
                new Shape("q35, two private nodes, 2 vCPUs, VGA, a card with a ROM, sandbox",
                        Memory.TWO_PRIVATE, 2, withCard(q35())),
                new Shape(OLD, Memory.TWO_MEMFDS, 1, List.of("-machine",
                        "pc-i440fx-2.3", "-vga", "std",
                        "-drive", "file=" + disk() + ",format=raw,if=virtio")),
                new Shape("i440fx, two unlinked files, 4 vCPUs, cirrus, readconfig, O_DIRECT",
                        Memory.TWO_FILES, 4, readconfig()));
        return SampleCondition.sampled() ? Draw.sample(all, 1).stream() : all.stream();
    }

    private static List<String> withCard(List<String> machine) {
        List<String> more = new ArrayList<>(machine);
        more.addAll(List.of("-netdev", "user,id=n1", "-device", "e1000,netdev=n1,id=net1"));
        return more;
    }

    private static List<String> q35() throws IOException {
        return List.of("-machine", "q35", "-vga", "std",
                "-drive", "file=" + disk() + ",format=raw,if=none,id=d0,cache=writeback",
                "-device", "virtio-blk-pci,drive=d0,id=blk0",
                "-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0,id=net0,romfile=",
                // Whoever starts last has the file: the target.
                "-object", "filter-dump,id=dump0,netdev=n0,file=" + folder.resolve("net.pcap"),
                "-device", "virtio-rng-pci,id=rng0", "-device", "virtio-balloon-pci,id=bal0",
                // More of it would forbid -daemonize.
                "-sandbox", "on,obsolete=deny,resourcecontrol=deny");
    }

    private static List<String> readconfig() throws IOException {
        Path config = Files.writeString(folder.resolve("machine.cfg"), """
                [device "rng0"]
                  driver = "virtio-rng-pci"

                [device "net0"]
                  driver = "e1000"
                  netdev = "n0"
                  romfile = ""

                [netdev "n0"]
                  type = "user"
                """);
        return List.of("-readconfig", config.toString(), "-vga", "cirrus", "-usb",
                "-device", "usb-tablet",
                "-drive", "file=" + disk() + ",format=raw,if=virtio,cache=none");
    }

    private static Path disk() throws IOException {
        Path disk = folder.resolve("disk.raw");
        try (RandomAccessFile image = new RandomAccessFile(disk.toFile(), "rw")) {
            image.setLength(4 << 20);
        }
        return disk;
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void moves(Shape shape) throws IOException {
        DemoMachine machine = new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, MEMORY,
                shape.vcpus(), shape.memory(), shape.more());
        MovingGuest home = MovingGuest.boot(rig, machine);
        DemoQemu next = rig.waiting(machine);
        checkChangesNothing(home, next);
        QemuControl.Settings before = settings(next);
        Agent target = rig.receive(next, "");
        Agent source = rig.migrate(home.qemu(), target, "", "--after", "keep");
        E2e.assertMoved(source, target);
        rig.awaitNothingLeft();
        assertEquals(2, source.report().at("/guest/regions").size(), source::toString);
        assertTrue(Traces.of(home.qemu().process().pid()).isUntracked());
        assertEquals(shape.name().equals(OLD) ? "postmigrate" : "saved",
                Rig.condition(home.qemu()));
        if (shape.more().contains("-vga")) {
            screenWent(home.qemu(), next);
        }
        assertFalse(warnsOfKeeping(source), "the disk's lock refuses a cont");
        if (shape.more().toString().contains("net.pcap")) {
            // As many as asked for, and none at the load, when the source could still go on.
            Poll.until(() -> announcements() >= 5, () -> "the guest was not announced");
        }
        assertEquals(before, settings(next));
        home.livesOnAt(next);
        assertTrue(announcements() <= 5, "QEMU announced it too");
        rig.end(next);
    }

    static boolean warnsOfKeeping(Agent source) {
        return source.events().stream().anyMatch(event ->
                event.path("message").asText().startsWith("--after keep"));
    }

    private static QemuControl.Settings settings(DemoQemu qemu) throws IOException {
        try (QemuControl control = qemu.control()) {
            assertEquals(5, control.announceRounds());
            return control.settings();
        }
    }

    /** RARP packets (RFC 903, ethertype 0x8035) in what the network card sent. */
    private static long announcements() throws IOException {
        Path file = folder.resolve("net.pcap");
        if (!Files.exists(file)) {
            return 0;
        }
        byte[] all = Files.readAllBytes(file);
        long found = 0;
        // A pcap file: a head of 24 bytes, then packets with a head of 16 each.
        for (int at = 24; at + 30 <= all.length; at += 16 + length(all, at)) {
            if (all[at + 28] == (byte) 0x80 && all[at + 29] == 0x35) {
                found++;
            }
        }
        return found;
    }

    private static int length(byte[] all, int at) {
        return ByteBuffer.wrap(all, at + 8, 4).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    /** Its rows, while the guest runs and while a target waits. */
    private void checkChangesNothing(MovingGuest home, DemoQemu next) throws IOException {
        Agent source = rig.start("", List.of("check", Rig.uri(home.qemu())));
        Agent target = rig.start("", List.of("check", Rig.uri(next)));
        for (Agent check : List.of(source, target)) {
            assertEquals(0, check.exit(), check::toString);
            assertTrue(check.words().contains("it can be moved"), check::toString);
        }
        Set<String> verdicts = source.events().stream()
                .map(row -> row.path("verdict").asText()).collect(Collectors.toSet());
        assertEquals(Set.of("ok"), verdicts);
        assertTrue(source.events().size() >= 9, source::toString);
        home.livesOn();
        home.isAsItWas();
        assertEquals("inmigrate", Rig.condition(next));
        Poll.until(() -> Rig.isFree(next), () -> "check still holds the monitor");
    }

    private void screenWent(DemoQemu from, DemoQemu to) throws IOException {
        byte[] here = screen(from);
        byte[] there = screen(to);
        assertTrue(new String(here, StandardCharsets.ISO_8859_1).chars()
                .filter(Character::isLetter).count() > 5, "the screen was empty");
        assertArrayEquals(here, there);
    }

    private byte[] screen(DemoQemu qemu) throws IOException {
        Path file = folder.resolve("screen");
        try (QemuControl control = qemu.control()) {
            control.qmp().execute("pmemsave", JsonNodeFactory.instance.objectNode()
                    .put("val", TEXT).put("size", TEXT_BYTES).put("filename", file.toString()));
        }
        byte[] all = Files.readAllBytes(file);
        byte[] text = new byte[all.length / 2];
        for (int i = 0; i < text.length; i++) {
            text[i] = all[2 * i];
        }
        Files.delete(file);
        return text;
    }
}
