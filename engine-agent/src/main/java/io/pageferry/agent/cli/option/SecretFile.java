package io.pageferry.agent.cli.option;

import io.pageferry.transport.netty.SharedSecret;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;

/** Reads the file of {@code --token-file}, which nobody but its owner may read. */
final class SecretFile {
    private static final int FILE_TYPE = 0170000;
    private static final int REGULAR = 0100000;
    private static final int OTHERS = 077;

    private SecretFile() {
    }

    static SharedSecret read(Path file) {
        try {
            Map<String, Object> before = look(file);
            requirePrivate(file, (Integer) before.get("mode"));
            byte[] bytes = bytes(file);
            if (!before.equals(look(file))) {
                throw refused(file, "it is being replaced: try again");
            }
            return new SharedSecret(bytes);
        } catch (NoSuchFileException e) {
            throw refused(file, "there is no such file");
        } catch (IOException e) {
            throw refused(file, "it cannot be read (" + e.getMessage() + ")");
        }
    }

    private static Map<String, Object> look(Path file) throws IOException {
        return Files.readAttributes(file, "unix:dev,ino,mode,lastModifiedTime",
                LinkOption.NOFOLLOW_LINKS);
    }

    private static void requirePrivate(Path file, int mode) {
        if ((mode & FILE_TYPE) != REGULAR) {
            throw refused(file, "it is no regular file; name the file itself, no link to it");
        }
        if ((mode & OTHERS) != 0) {
            throw refused(file, "other users have rights to it: chmod 600 " + file);
        }
    }

    /** A link that took its place meanwhile is not followed. One line end is not part of it. */
    private static byte[] bytes(Path file) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(SharedSecret.LONGEST + 2);
        try (FileChannel channel = FileChannel.open(file,
                Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
            while (channel.read(buffer) > 0) {
                continue;
            }
        }
        int length = buffer.position();
        if (length > 0 && buffer.get(length - 1) == '\n') {
            length--;
        }
        if (length < SharedSecret.SHORTEST || length > SharedSecret.LONGEST) {
            throw refused(file, "it has " + (length > SharedSecret.LONGEST ? "more than "
                    + SharedSecret.LONGEST : length) + " bytes, and a secret has "
                    + SharedSecret.SHORTEST + " to " + SharedSecret.LONGEST
                    + ": head -c 32 /dev/urandom | base64 makes one");
        }
        return Arrays.copyOf(buffer.array(), length);
    }

    private static UsageException refused(Path file, String why) {
        return new UsageException("--token-file " + file + ": " + why);
    }
}
