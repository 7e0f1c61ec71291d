package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoMachine.Memory;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.qemu.QemuControl;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Machines as people build them, each moved once. What is not shared memory, video memory too,
 * goes with the device state.
 */
@Timeout(180)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ShapesTest {
    private static final long MEMORY = 192L << 20;
    /** Text of a VGA, as a real mode program sees it; 80 x 25 letters with their colours. */
    private static final long TEXT = 0xb8000;
    private static final int TEXT_BYTES = 4000;

    @TempDir
    static Path folder;

    private Rig rig;

    /**
     * One row.
     *
     * @param name    what it stands for
     * @param memory  where its RAM is
     * @param vcpus   1 to 4
     * @param regions memory backends
     * @param more    arguments
     */
    record Shape(String name, Memory memory, int vcpus, int regions, List<String> more) {
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
        return Stream.of(
                new Shape("q35, two memfds, 2 vCPUs, VGA, virtio, sandbox", Memory.TWO_MEMFDS, 2,
                        2, q35()),
                new Shape("i440fx, two unlinked files, 4 vCPUs, cirrus, e1000, readconfig",
                        Memory.TWO_FILES, 4, 2, readconfig()),
                new Shape("i440fx, a file and a DIMM, 3 vCPUs, virtio-serial", Memory.FILE, 3, 2,
                        dimm()));
    }

    private static List<String> q35() throws IOException {
        return List.of("-machine", "q35", "-vga", "std",
                "-drive", "file=" + disk() + ",format=raw,if=none,id=d0,cache=writeback",
                "-device", "virtio-blk-pci,drive=d0,id=blk0",
                "-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0,id=net0,romfile=",
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
                "-device", "usb-tablet");
    }

    private static List<String> dimm() {
        return List.of("-m", "slots=2,maxmem=1G",
                "-object", "memory-backend-memfd,id=dimm0,size=128M,share=on",
                "-device", "pc-dimm,memdev=dimm0,id=slot0",
                "-device", "virtio-serial-pci,id=vs0", "-device", "virtio-scsi-pci,id=scsi0");
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
        Home home = Home.boot(rig, machine);
        DemoQemu next = rig.waiting(machine);
        Agent target = rig.receive(next, "");
        Agent source = rig.migrate(home.qemu(), target, "", "--after", "keep");
        E2e.assertMoved(source, target);
        rig.awaitNothingLeft();
        assertEquals(shape.regions(), source.report().at("/guest/regions").size(),
                source::toString);
        assertTrue(Traces.of(home.qemu().process().pid()).isUntracked());
        if (shape.more().contains("-vga")) {
            screenWent(home.qemu(), next);
        }
        home.livesOnAt(next);
        rig.end(next);
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
