package io.pageferry.agent.e2e;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;

/** A block device over a file, for as long as it is open. */
public final class LoopDevice implements AutoCloseable {
    private final Path file;
    private final Path device;

    private LoopDevice(Path file, Path device) {
        this.file = file;
        this.device = device;
    }

    /**
     * Attaches a file, or skips the test where nobody may.
     *
     * @param file    a regular file
     * @param options of losetup
     * @return the device
     * @throws IOException when it cannot be attached
     */
    public static LoopDevice over(Path file, String... options) throws IOException {
        Assumptions.assumeTrue(Files.isWritable(Path.of("/dev/loop-control")),
                "no loop device can be made here");
        List<String> command = new ArrayList<>(List.of("losetup"));
        command.addAll(List.of(options));
        command.addAll(List.of("--find", "--show", file.toString()));
        return new LoopDevice(file, Path.of(DiskGuest.run(command.toArray(String[]::new)).strip()));
    }

    /**
     * Makes a file and attaches it.
     *
     * @param file  to be made
     * @param bytes its length
     * @param noise so many of them, from the first on, are random
     * @return the device
     * @throws IOException when it cannot be made
     */
    public static LoopDevice of(Path file, long bytes, int noise) throws IOException {
        return over(file(file, bytes, noise));
    }

    /**
     * Makes a file.
     *
     * @param file  to be made
     * @param bytes its length
     * @param noise so many of them, from the first on, are random
     * @return the file
     * @throws IOException when it cannot be made
     */
    public static Path file(Path file, long bytes, int noise) throws IOException {
        byte[] content = new byte[noise];
        long seed = noise;
        new Random(seed).nextBytes(content);
        try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
            made.write(content);
            made.setLength(bytes);
        }
        return file;
    }

    /**
     * Runs a program of the host that has to succeed.
     *
     * @param command its name and arguments
     * @return what it said
     * @throws IOException when it cannot be started
     */
    public static String run(String... command) throws IOException {
        return DiskGuest.run(command);
    }

    /** {@return the file behind it} */
    public Path file() {
        return file;
    }

    /** {@return its path} */
    public Path device() {
        return device;
    }

    @Override
    public String toString() {
        return device.toString();
    }

    @Override
    public void close() throws IOException {
        DiskGuest.run("losetup", "--detach", device.toString());
    }
}
