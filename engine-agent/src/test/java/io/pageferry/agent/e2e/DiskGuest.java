package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.Initramfs;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * A guest with an ext4 on a raw and one on a qcow2 image, which writes files, syncs, unmounts,
 * checks the file system and, in a later round, reads every file back from the disk.
 */
final class DiskGuest {
    static final List<String> FORMATS = List.of("raw", "qcow2");

    private static final List<Path> FSCK = List.of(Path.of("/sbin/e2fsck.static"),
            Path.of("/usr/sbin/e2fsck.static"));
    private static final Pattern ROUND = Pattern.compile(
            "disk (vd[ab]) round=(\\d+) files=(\\d+) bad=(\\d+) fsck=(\\d+)");

    /** What the guest says of one disk after one round. */
    private record Round(long number, long files, long bad, long fsck) { }

    private final Path archive;
    private final DemoTools tools;

    private DiskGuest(Path archive, DemoTools tools) {
        this.archive = archive;
        this.tools = tools;
    }

    /** Packs what the guest runs, or skips the test. */
    static DiskGuest make(Path folder) throws IOException {
        return make(folder, "guest-disks.sh");
    }

    /** The same with another script of this package. */
    static DiskGuest make(Path folder, String name) throws IOException {
        return make(folder, name, "");
    }

    /** The same with a line before that script. */
    static DiskGuest make(Path folder, String name, String first) throws IOException {
        E2e.needTracking();
        DemoTools tools = TestMachines.tools();
        Path modules = tools.kernel().toAbsolutePath().resolveSibling("modules");
        Assumptions.assumeTrue(Files.isDirectory(modules), "no folder " + modules
                + " with the kernel's virtio modules");
        Path fsck = FSCK.stream().filter(Files::isExecutable).findFirst().orElse(null);
        Assumptions.assumeTrue(fsck != null, "no e2fsck.static: apt install e2fsck-static");
        SortedMap<String, Path> files = new TreeMap<>();
        try (Stream<Path> all = Files.list(modules)) {
            all.filter(one -> one.toString().endsWith(".ko")).forEach(
                    one -> files.put("modules/" + one.getFileName(), one));
        }
        files.put("bin/e2fsck", fsck);
        Path script = folder.resolve(name);
        try (InputStream in = DiskGuest.class.getResourceAsStream(name)) {
            Files.writeString(script, first + "\n" + new String(in.readAllBytes(),
                    StandardCharsets.UTF_8));
        }
        files.put("more.sh", script);
        Path archive = folder.resolve("disks.cpio.gz");
        Initramfs.write(archive, tools.busybox(), files);
        return new DiskGuest(archive, tools);
    }

    /** Makes images with an empty file system each: {@code NAME.raw} and {@code NAME.qcow2}. */
    static void format(Path folder, String name) throws IOException {
        Path raw = image(folder, name, "raw");
        run("qemu-img", "create", "-q", "-f", "raw", raw.toString(), "24M");
        run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", raw.toString());
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw.toString(),
                image(folder, name, "qcow2").toString());
        giveAway(raw);
        giveAway(image(folder, name, "qcow2"));
    }

    /** QEMU opens an image again when it takes it over, by the rights that it has then. */
    private static void giveAway(Path image) throws IOException {
        Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("rw-rw-rw-"));
    }

    /** Makes images with nothing in them. */
    static void empty(Path folder, String name, String size) throws IOException {
        for (String format : FORMATS) {
            run("qemu-img", "create", "-q", "-f", format,
                    image(folder, name, format).toString(), size);
            giveAway(image(folder, name, format));
        }
    }

    static Path image(Path folder, String name, String format) {
        return folder.resolve(name + "." + format);
    }

    /** A machine with those images. */
    DemoMachine machine(Path folder, String name) {
        return machine(image(folder, name, "raw"), image(folder, name, "qcow2"));
    }

    /** A machine with two images, one of them served by a thread of its own. */
    DemoMachine machine(Path raw, Path qcow2) {
        return machine(List.of("-drive", "if=virtio,format=raw,file=" + raw,
                "-object", "iothread,id=disks",
                "-drive", "if=none,id=virtio1,format=qcow2,cache=none,aio=native,file="
                        + qcow2,
                "-device", "virtio-blk-pci,drive=virtio1,iothread=disks"));
    }

    /** A machine with other arguments. */
    DemoMachine machine(List<String> more) {
        return machine(DemoMachine.Memory.PLAIN, more);
    }

    /** The same with another kind of RAM. */
    DemoMachine machine(DemoMachine.Memory memory, List<String> more) {
        List<String> arguments = new ArrayList<>(more);
        arguments.addAll(List.of("-initrd", archive.toString(), "-runas", "nobody"));
        return new DemoMachine(tools, E2e.CALM, 160L << 20, 1, memory, arguments);
    }

    /** How many rounds each of its disks has behind it, at least. */
    static long rounds(MovingGuest home) throws IOException {
        return Math.min(rounds(home, "vda").size(), rounds(home, "vdb").size());
    }

    /**
     * Waits until it wrote to both disks, and read back what it had written before; it found
     * nothing wrong all its life.
     */
    static void worksOn(MovingGuest home) throws IOException {
        // One may have begun before.
        worksOn(home, 2);
    }

    /** Waits for some more rounds on both disks; nothing was found wrong all its life. */
    static void worksOn(MovingGuest home, int more) throws IOException {
        long goal = rounds(home) + more;
        Poll.until(() -> rounds(home) >= goal, () -> "no more rounds: " + text(home));
        home.livesOn();
        for (String disk : List.of("vda", "vdb")) {
            List<Round> rounds = rounds(home, disk);
            for (int i = 0; i < rounds.size(); i++) {
                assertEquals(new Round(i + 1, 3L * (i + 1), 0, 0), rounds.get(i), disk);
            }
        }
    }

    private static List<Round> rounds(MovingGuest home, String disk) throws IOException {
        List<Round> rounds = new ArrayList<>();
        Matcher line = ROUND.matcher(home.console());
        while (line.find()) {
            if (line.group(1).equals(disk)) {
                rounds.add(new Round(Long.parseLong(line.group(2)),
                        Long.parseLong(line.group(3)), Long.parseLong(line.group(4)),
                        Long.parseLong(line.group(5))));
            }
        }
        return rounds;
    }

    private static String text(MovingGuest home) {
        try {
            return home.console().lines().filter(line -> !line.startsWith("tick")).toList()
                    .toString();
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Pauses it, which has QEMU write what it holds, checks the qcow2, and lets it go on. */
    static void assertSound(MovingGuest home, Path qcow2) throws IOException {
        try (QemuControl control = home.qemu().control()) {
            control.stop();
            assertTrue(run("qemu-img", "check", "-U", qcow2.toString())
                    .contains("No errors were found"));
            assertTrue(control.cont().running());
        }
    }

    /** Runs a program to its end; what it said. */
    static String run(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectInput(Path.of("/dev/null").toFile()).start();
        String said = new String(process.getInputStream().readAllBytes(),
                StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(Poll.LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(List.of(command) + " does not end: " + said);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
        assertEquals(0, process.exitValue(), List.of(command) + ": " + said);
        return said;
    }
}
