package io.pageferry.agent.state.journal;

import io.pageferry.agent.guest.GuestKind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The lock of a guest on this host: one migration of it at a time, whichever state directories and
 * users the agents have. It is taken in each folder for locks that there is, so that two agents
 * exclude each other as soon as they share one of them: root makes a folder that was not there
 * when another agent began, and a service may have a {@code /tmp} of its own.
 */
public final class GuestLock implements AutoCloseable {
    /** Environment: one folder instead of the host's. For tests. */
    private static final String FOLDER = "PAGEFERRY_LOCK_DIR";

    private static final Path OWN = Path.of("/run/pageferry");
    private static final List<Path> FOLDERS = List.of(OWN, Path.of("/run/lock"), Path.of("/tmp"));
    private static final int ANYBODYS = 01777;

    private final List<HeldLock> locks;

    private GuestLock(List<HeldLock> locks) {
        this.locks = locks;
    }

    /**
     * Returns what a guest is locked by.
     *
     * @param identity        of the guest on this host, or null where it has none
     * @param recoveryAddress of it
     * @return that, and its {@link GuestKind#PLACE}
     */
    public static List<String> identities(String identity, Map<String, String> recoveryAddress) {
        return Stream.of(identity, recoveryAddress.get(GuestKind.PLACE))
                .filter(Objects::nonNull).toList();
    }

    /**
     * Tries to take the lock of a guest, without waiting.
     *
     * @param identities {@link #identities}, all of which it takes or none
     * @return the lock, or empty when a migration of it is under way
     * @throws IOException when it cannot be taken anywhere
     */
    public static Optional<GuestLock> tryLock(List<String> identities) throws IOException {
        return tryLock(identities, folder -> false);
    }

    /**
     * Tries to take it, but for folders in which nothing may be written while the guest stands
     * still.
     *
     * @param identities {@link #identities}, all of which it takes or none
     * @param frozen     which folders are left out
     * @return the lock, or empty when a migration of it is under way
     * @throws IOException when it cannot be taken anywhere
     */
    public static Optional<GuestLock> tryLock(List<String> identities, FolderTest frozen)
            throws IOException {
        Set<Path> usable = new LinkedHashSet<>();
        for (Path folder : folders(System.getenv())) {
            if (!frozen.test(folder)) {
                usable.add(folder);
            }
        }
        if (usable.isEmpty()) {
            throw new IOException("a guest cannot be locked: every folder for locks lies on a disk"
                    + " that is moved: mount a tmpfs on " + OWN);
        }
        return tryLock(identities, usable);
    }

    /** Says something about a folder. */
    @FunctionalInterface
    public interface FolderTest {
        /**
         * Asks of one folder.
         *
         * @param folder that is there
         * @return the answer
         * @throws IOException when it cannot be told
         */
        boolean test(Path folder) throws IOException;
    }

    static Optional<GuestLock> tryLock(List<String> identities, Set<Path> folders)
            throws IOException {
        GuestLock lock = new GuestLock(new ArrayList<>());
        boolean whole = false;
        try {
            for (String identity : identities) {
                if (!lock.take(identity, folders)) {
                    return Optional.empty();
                }
            }
            whole = true;
            return Optional.of(lock);
        } finally {
            if (!whole) {
                lock.close();
            }
        }
    }

    private boolean take(String identity, Set<Path> folders) throws IOException {
        for (Path folder : folders) {
            Optional<HeldLock> one = HeldLock.tryLockOfHost(
                    folder.resolve("pageferry-guest-" + digest(identity) + ".lock"));
            if (one.isEmpty()) {
                return false;
            }
            locks.add(one.get());
        }
        return true;
    }

    /** The folders that can be used, each once and all agents in one order. */
    static Set<Path> folders(Map<String, String> environment) throws IOException {
        String chosen = environment.get(FOLDER);
        if (chosen == null) {
            makeOwn();
        }
        Set<Path> usable = new LinkedHashSet<>();
        for (Path folder : chosen == null ? FOLDERS : List.of(Path.of(chosen))) {
            if (Files.isDirectory(folder) && Files.isWritable(folder)) {
                usable.add(folder.toRealPath());
            }
        }
        if (usable.isEmpty()) {
            throw new IOException("a guest cannot be locked: none of "
                    + (chosen == null ? FOLDERS : chosen) + " can be written to");
        }
        return usable;
    }

    /** Makes the folder of all agents of this host, where it is not there and this user can. */
    public static void makeOwn() {
        try {
            Files.createDirectory(OWN);
            Files.setAttribute(OWN, "unix:mode", ANYBODYS);
        } catch (IOException e) {
            // It is there, or this user cannot make it.
        }
    }

    private static String digest(String identity) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest(identity.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Gives it back everywhere. Idempotent. */
    @Override
    public void close() {
        locks.forEach(HeldLock::close);
    }
}
