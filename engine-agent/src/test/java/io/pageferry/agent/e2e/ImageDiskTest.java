package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Disks in images of every format, from each to each, and exports of NBD servers. */
@Tag("full")
class ImageDiskTest extends WithRig {
    private static final int MIB = 1 << 20;
    private static final int DISK = 24 * MIB;
    private static final List<String> FORMATS = List.of("raw", "qcow2", "vmdk", "vhdx", "vdi");
    private static final int PAIRS = 4;

    @BeforeEach
    void needsQemu() {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-nbd")),
                "no qemu-nbd: apt install qemu-utils");
    }

    /** Noise, then nothing, then a little at its end. */
    private Path raw() throws IOException {
        Path file = LoopDevice.file(folder.resolve("raw"), DISK, 5 * MIB);
        try (FileChannel open = FileChannel.open(file, StandardOpenOption.WRITE)) {
            open.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 15 * MIB + 5);
            open.write(ByteBuffer.wrap(new byte[] {4, 5, 6}), DISK - 3);
        }
        return file;
    }

    private Path image(Path raw, String format) throws IOException {
        Path image = folder.resolve("source." + format);
        DiskGuest.run("qemu-img", "convert", "-f", "raw", "-O", format, raw.toString(),
                image.toString());
        return image;
    }

    @Test
    void anImageOfEachFormatMovesIntoOneOfEach() throws IOException {
        Path raw = raw();
        List<Pair> pairs = FORMATS.stream().flatMap(from -> FORMATS.stream()
                .map(to -> new Pair(from, to))).toList();
        for (Pair pair : Draw.sample(pairs, PAIRS)) {
            Path source = image(raw, pair.from());
            Path target = folder.resolve("target." + pair.to());
            if (pair.to().equals("raw")) {
                LoopDevice.file(target, DISK, 0);
            }
            Agent receiver = receive("disk:" + target + "?format=" + pair.to());
            Agent sender = migrate("disk:" + source + "?format=" + pair.from(),
                    receiver.address());
            E2e.assertMoved(sender, receiver);
            assertEquals("Images are identical.", DiskGuest.run("qemu-img", "compare", "-f",
                    pair.from(), "-F", pair.to(), source.toString(), target.toString()).strip(),
                    pair::toString);
            assertTrue(stored(target) < DISK / 2, () -> pair + ": holes were filled");
            assertNoServers();
            Files.delete(source);
            Files.delete(target);
        }
        rig.awaitNothingLeft();
    }

    private record Pair(String from, String to) { }

    private static long stored(Path file) throws IOException {
        return Long.parseLong(DiskGuest.run("stat", "-c", "%b", file.toString()).strip()) * 512;
    }

    /** Which of the programs has an image of this test. */
    private void assertNoServers() throws IOException {
        Poll.until(() -> servers().isEmpty(), () -> "qemu-nbd is left");
    }

    private List<Long> servers() {
        return ProcessHandle.allProcesses().filter(one -> one.info().commandLine().orElse("")
                .contains("\"filename\":\"" + folder)).map(ProcessHandle::pid).toList();
    }
}
