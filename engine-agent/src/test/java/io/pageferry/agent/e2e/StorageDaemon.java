package io.pageferry.agent.e2e;

import io.pageferry.agent.demo.ProcessMark;
import io.pageferry.agent.host.linux.Stranger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** A qemu-storage-daemon that is the vhost-user backend of one disk, for one QEMU at a time. */
final class StorageDaemon implements AutoCloseable {
    private static final Path PROGRAM = Path.of("/usr/bin/qemu-storage-daemon");

    private final Stranger process;
    private final Path socket;

    private StorageDaemon(Stranger process, Path socket) {
        this.process = process;
        this.socket = socket;
    }

    /**
     * Starts one that only reads, and returns when it listens; or skips the test.
     *
     * @param file   of the disk
     * @param cache  options of its block node, {@code cache.direct=on} for example
     * @param socket where it is to listen
     */
    static StorageDaemon start(Path file, String cache, Path socket) throws IOException {
        Assumptions.assumeTrue(Files.isExecutable(PROGRAM), "no " + PROGRAM
                + ": apt install qemu-system-common");
        StorageDaemon daemon = new StorageDaemon(Stranger.start(PROGRAM.toString(),
                "--blockdev", "driver=" + (Files.isRegularFile(file) ? "file" : "host_device")
                + ",node-name=disk,read-only=on,filename=" + file + "," + cache,
                "--export", "type=vhost-user-blk,id=export,node-name=disk,addr.type=unix,addr.path="
                + socket), socket);
        boolean listens = false;
        try {
            Poll.until(() -> Files.exists(socket), () -> "it does not listen at " + socket);
            // A QEMU that is nobody by now connects again.
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
            listens = true;
            return daemon;
        } finally {
            if (!listens) {
                daemon.close();
            }
        }
    }

    /** {@return the arguments of a QEMU whose disk it is to be} */
    List<String> disk() {
        return List.of("-chardev", "socket,id=back,reconnect=1,path=" + socket,
                "-device", "vhost-user-blk-pci,chardev=back,id=disk0");
    }

    Path socket() {
        return socket;
    }

    long pid() {
        return process.pid();
    }

    ProcessMark mark() throws IOException {
        return ProcessMark.of(process.pid());
    }

    /** Kills it. */
    @Override
    public void close() throws IOException {
        process.close();
        Files.deleteIfExists(socket);
    }
}
