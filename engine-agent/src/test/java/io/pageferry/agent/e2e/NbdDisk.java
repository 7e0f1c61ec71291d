package io.pageferry.agent.e2e;

import io.pageferry.agent.demo.ProcessMark;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.linux.Stranger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;

/**
 * A qcow2 image of random bytes, the file of which a qemu-nbd serves over a unix socket, to any
 * number of QEMUs, and that stops answering when it is told to.
 */
final class NbdDisk implements AutoCloseable {
    private static final int BYTES = 8 << 20;
    private static final Path PROGRAM = Path.of("/usr/bin/qemu-nbd");

    private final Stranger process;
    private final ProcessMark mark;
    private final Path socket;

    private NbdDisk(Stranger process, Path socket) throws IOException {
        this.process = process;
        this.mark = ProcessMark.of(process.pid());
        this.socket = socket;
    }

    /** Makes one that is only read, or skips the test. */
    static NbdDisk make(Path folder, Random chance) throws IOException {
        Assumptions.assumeTrue(Files.isExecutable(PROGRAM), "no " + PROGRAM
                + ": apt install qemu-utils");
        byte[] content = new byte[BYTES];
        chance.nextBytes(content);
        Path raw = Files.write(folder.resolve("content"), content);
        Path file = folder.resolve("served");
        DiskGuest.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw.toString(),
                file.toString());
        Path socket = folder.resolve("nbd");
        NbdDisk disk = new NbdDisk(Stranger.start(PROGRAM.toString(), "--read-only",
                "--persistent", "--shared=8", "--format=raw", "--socket=" + socket,
                file.toString()), socket);
        boolean listens = false;
        try {
            Poll.until(() -> Files.exists(socket), () -> "it does not listen at " + socket);
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
            listens = true;
            return disk;
        } finally {
            if (!listens) {
                disk.close();
            }
        }
    }

    /** {@return what a QEMU calls its file} */
    String file() {
        return "nbd+unix://?socket=" + socket;
    }

    /** Answers nothing from now on. */
    void stop() throws IOException {
        Processes.signal(mark.pid(), mark.startTicks(), Signal.STOP);
    }

    /** Returns when somebody waits for an answer. */
    void awaitReader() throws IOException {
        Poll.until(this::isAwaited, () -> "nobody reads of it");
    }

    void goOn() throws IOException {
        Processes.signal(mark.pid(), mark.startTicks(), Signal.CONT);
    }

    /** A request lies unread in one of its connections: {@code u_str ESTAB 28 0 PATH …}. */
    private boolean isAwaited() throws IOException {
        return DiskGuest.run("ss", "--unix", "--numeric").lines().map(line -> line.split("\\s+"))
                .anyMatch(column -> column.length > 4 && column[4].equals(socket.toString())
                        && !column[2].equals("0"));
    }

    /** {@return arguments of a QEMU that has it} */
    List<String> arguments() {
        return List.of("-drive", "file=nbd:unix:" + socket
                + ",format=qcow2,if=none,id=d0,readonly=on",
                "-device", "virtio-blk-pci,drive=d0");
    }

    @Override
    public void close() throws IOException {
        process.close();
        Files.deleteIfExists(socket);
    }
}
