package io.pageferry.agent.trust;

import io.pageferry.agent.host.linux.PrivateFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;

/** Writes PEM files, each whole or not at all. */
final class PemFile {
    private static final int LINE = 64;

    private PemFile() {
    }

    /**
     * Writes a file; agents that read it meanwhile see the old one or the new one.
     *
     * @param file   its path
     * @param label  in its first and its last line
     * @param der    what it holds
     * @param secret whether nobody else may read it
     */
    static void write(Path file, String label, byte[] der, boolean secret) throws IOException {
        prepare(file, label, der, secret);
        put(file);
    }

    /** Writes it beside its place, durable on return. */
    static void prepare(Path file, String label, byte[] der, boolean secret)
            throws IOException {
        String text = "-----BEGIN " + label + "-----\n"
                + Base64.getMimeEncoder(LINE, new byte[] {'\n'}).encodeToString(der)
                + "\n-----END " + label + "-----\n";
        Path fresh = fresh(file);
        PrivateFiles.replace(fresh, text.getBytes(StandardCharsets.US_ASCII));
        if (!secret) {
            Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-r--r--"));
        }
    }

    /** Puts what was prepared in its place. */
    static void put(Path file) throws IOException {
        Files.move(fresh(file), file, StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    private static Path fresh(Path file) {
        return file.resolveSibling(file.getFileName() + ".new");
    }

    static boolean isThere(Path file) {
        return Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    }
}
