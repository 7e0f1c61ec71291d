package io.pageferry.agent.demo;

import java.io.BufferedOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
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

    private static final List<String> FOLDERS = List.of("bin", "dev", "proc", "run");

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
        write(archive, busybox, new TreeMap<>());
    }

    /**
     * Writes the archive with more files in it; replaces what is there. One that is called
     * {@code more.sh} is run by the guest beside all else.
     *
     * @param more files of this host by name in the archive, which has at most one folder in it
     */
    public static void write(Path archive, Path busybox, SortedMap<String, Path> more)
            throws IOException {
        try (OutputStream out = new GZIPOutputStream(new BufferedOutputStream(
                Files.newOutputStream(archive)), 64 << 10)) {
            Initramfs cpio = new Initramfs(out);
            for (String directory : FOLDERS) {
                cpio.entry(directory, DIRECTORY, new byte[0], 0, 0);
            }
            // The kernel opens it for init before devtmpfs is there.
            cpio.entry("dev/console", CHARACTER_DEVICE, new byte[0], CONSOLE_MAJOR,
                    CONSOLE_MINOR);
            cpio.entry("bin/busybox", PROGRAM, Files.readAllBytes(busybox), 0, 0);
            cpio.entry("init", PROGRAM, resource("guest-init.sh"), 0, 0);
            cpio.entry("writer.awk", FILE, resource("guest-writer.awk"), 0, 0);
            cpio.folders(more);
            for (Map.Entry<String, Path> one : more.entrySet()) {
                cpio.entry(one.getKey(), PROGRAM, Files.readAllBytes(one.getValue()), 0, 0);
            }
            cpio.entry("TRAILER!!!", 0, new byte[0], 0, 0);
        }
    }

    private void folders(SortedMap<String, Path> files) throws IOException {
        Set<String> made = new HashSet<>(FOLDERS);
        for (String name : files.keySet()) {
            int end = name.indexOf('/');
            if (end > 0 && made.add(name.substring(0, end))) {
                entry(name.substring(0, end), DIRECTORY, new byte[0], 0, 0);
            }
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
