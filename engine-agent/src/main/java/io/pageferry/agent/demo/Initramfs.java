package io.pageferry.agent.demo;

import java.io.BufferedOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/**
 * Writes the test guest's root file system: a gzipped cpio archive of the "newc" kind
 * (Documentation/driver-api/early-userspace/buffer-format.rst of the kernel), with busybox, an
 * init script, and nothing else. Equal inputs give equal bytes.
 */
public final class Initramfs {
    private static final int DIRECTORY = 0040755;
    private static final int PROGRAM = 0100755;
    private static final int FILE = 0100644;
    private static final int CHARACTER_DEVICE = 0020600;
    private static final int CONSOLE_MAJOR = 5;
    private static final int CONSOLE_MINOR = 1;

    private final OutputStream out;
    private long written;
    private int inode;

    private Initramfs(OutputStream out) {
        this.out = out;
    }

    /**
     * Writes the archive; replaces what is there.
     *
     * @param busybox a static one, for the guest's architecture
     */
    public static void write(Path archive, Path busybox) throws IOException {
        try (OutputStream out = new GZIPOutputStream(new BufferedOutputStream(
                Files.newOutputStream(archive)), 64 << 10)) {
            Initramfs cpio = new Initramfs(out);
            for (String directory : new String[] {"bin", "dev", "proc", "run"}) {
                cpio.entry(directory, DIRECTORY, new byte[0], 0, 0);
            }
            // The kernel opens it for init before devtmpfs is there.
            cpio.entry("dev/console", CHARACTER_DEVICE, new byte[0], CONSOLE_MAJOR,
                    CONSOLE_MINOR);
            cpio.entry("bin/busybox", PROGRAM, Files.readAllBytes(busybox), 0, 0);
            cpio.entry("init", PROGRAM, resource("guest-init.sh"), 0, 0);
            cpio.entry("writer.awk", FILE, resource("guest-writer.awk"), 0, 0);
            cpio.entry("TRAILER!!!", 0, new byte[0], 0, 0);
        }
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = Initramfs.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new FileNotFoundException("resource " + name);
            }
            return in.readAllBytes();
        }
    }

    private void entry(String name, int mode, byte[] data, int major, int minor)
            throws IOException {
        byte[] path = (name + "\0").getBytes(StandardCharsets.US_ASCII);
        int links = mode == DIRECTORY ? 2 : 1;
        // magic ino mode uid gid nlink mtime filesize dev(2) rdev(2) namesize check
        int[] fields = {++inode, mode, 0, 0, links, 0, data.length, 0, 0, major, minor,
            path.length, 0};
        StringBuilder header = new StringBuilder("070701");
        for (int field : fields) {
            header.append("%08x".formatted(field));
        }
        put(header.toString().getBytes(StandardCharsets.US_ASCII));
        put(path);
        pad();
        put(data);
        pad();
    }

    private void put(byte[] bytes) throws IOException {
        out.write(bytes);
        written += bytes.length;
    }

    private void pad() throws IOException {
        while (written % 4 != 0) {
            out.write(0);
            written++;
        }
    }
}
