package io.pageferry.agent.state.journal;

import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The folder of journals and their locks. Any number of agents, source and target of one host too,
 * share one: each migration has a journal of its own at each side.
 */
public final class StateDirectory {
    /** Several journals of some KiB, each with the lock beside it. */
    private static final long ROOM = 64 << 10;
    private static final String JOURNAL = ".journal";

    private final Path directory;

    private StateDirectory(Path directory) {
        this.directory = directory;
    }

    /**
     * Opens a state directory, made when it is not there.
     *
     * @param directory the folder, or null for the user's state home
     * @return the directory
     * @throws IOException when it cannot be made or written to, or other users can write to it
     */
    public static StateDirectory open(Path directory) throws IOException {
        Path folder = directory == null ? userDefault(System.getenv()) : directory;
        PrivateFiles.createFolders(folder);
        if (!Files.isWritable(folder)) {
            throw new IOException("state directory " + folder + " cannot be written to");
        }
        if (PrivateFiles.othersMayWrite(folder)) {
            throw new IOException("state directory " + folder + openToOthers(folder));
        }
        return new StateDirectory(folder.toRealPath());
    }

    /** What an agent would make of a state directory; nothing is changed to find that out. */
    public record Prospect(String found, boolean fit) { }

    /**
     * Checks whether journals can be kept in a state directory: {@link #open} refuses one that
     * cannot be made or written to, and a migration for which there is no room is refused.
     *
     * @param directory the folder, there or not, or null for the user's state home
     * @return what was found, in words, and whether it will do
     */
    public static Prospect look(Path directory) {
        Path folder = (directory == null ? userDefault(System.getenv()) : directory)
                .toAbsolutePath();
        Path there = folder;
        while (!Files.exists(there)) {
            there = there.getParent();
        }
        String name = there.equals(folder) ? folder.toString()
                : folder + " is going to be made in " + there;
        if (!Files.isDirectory(there)) {
            return new Prospect(there + " is not a folder", false);
        }
        if (!Files.isWritable(there)) {
            return new Prospect(there + " cannot be written to", false);
        }
        try {
            if (there.equals(folder) && PrivateFiles.othersMayWrite(folder)) {
                return new Prospect(there + openToOthers(there), false);
            }
            long free = Files.getFileStore(there).getUsableSpace();
            return new Prospect(name + ", " + (free >> 10) + " KiB free", free >= ROOM);
        } catch (IOException e) {
            return new Prospect(name + ": " + e.getMessage(), false);
        }
    }

    /** Who writes a journal there decides who owns a guest. */
    private static String openToOthers(Path folder) {
        return " can be written to by other users, who could forge journals: chmod go-w " + folder;
    }

    /** The XDG base directory specification's state home. */
    static Path userDefault(Map<String, String> environment) {
        String home = environment.get("XDG_STATE_HOME");
        Path base = home != null && home.startsWith("/")
                ? Path.of(home)
                : Path.of(System.getProperty("user.home"), ".local", "state");
        return base.resolve("pageferry");
    }

    /** {@return the folder, absolute} */
    public Path path() {
        return directory;
    }

    /**
     * Makes a journal and takes its lock.
     *
     * @param header its first line
     * @return the journal, empty
     * @throws IOException when it is there already or cannot be made
     */
    public FileJournal create(JournalHeader header) throws IOException {
        Path path = journalPath(header.migration(), header.side());
        HeldLock lock = HeldLock.tryLock(lockOf(path)).orElseThrow(
                () -> new IOException("migration " + header.migration() + " is being worked on"));
        try {
            return FileJournal.create(path, lock, header);
        } catch (IOException e) {
            lock.close();
            throw e;
        }
    }

    /**
     * Takes a journal over from an agent that is gone.
     *
     * @param migration names it
     * @param side      whose journal it is
     * @return the journal, or empty when another process holds its lock
     * @throws IOException when there is none, or it cannot be read
     */
    public Optional<FileJournal> takeOver(UUID migration, Side side) throws IOException {
        Path path = journalPath(migration, side);
        if (!Files.exists(path)) {
            throw new IOException("no journal of migration " + migration + " in " + directory);
        }
        Optional<HeldLock> lock = HeldLock.tryLock(lockOf(path));
        if (lock.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(FileJournal.resume(path, lock.get()));
        } catch (IOException e) {
            lock.get().close();
            throw e;
        }
    }

    /**
     * Reads a journal.
     *
     * @param migration names it
     * @param side      whose
     * @return it, or empty when there is none
     * @throws IOException when it cannot be read
     */
    public Optional<FileJournal> find(UUID migration, Side side) throws IOException {
        Path path = journalPath(migration, side);
        return Files.exists(path) ? Optional.of(FileJournal.read(path)) : Optional.empty();
    }

    /**
     * Reads every journal.
     *
     * @param unreadable gets one line on why one cannot be read
     * @return all that can be read, oldest first
     * @throws IOException when the folder cannot be read
     */
    public List<FileJournal> all(Consumer<String> unreadable) throws IOException {
        List<FileJournal> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + JOURNAL)) {
            for (Path file : files) {
                try {
                    found.add(FileJournal.read(file));
                } catch (IOException e) {
                    unreadable.accept(e.getMessage());
                }
            }
        }
        found.sort(Comparator.comparingLong(journal -> journal.header().createdMillis()));
        return found;
    }

    /**
     * A journal that is there and decides nothing, for it cannot be read.
     *
     * @param migration names it
     * @param side      whose
     * @param why       one line
     */
    public record Unreadable(UUID migration, Side side, String why) { }

    /**
     * Finds the journals that {@link #all} leaves out, but those of migrations that never began.
     *
     * @return damaged ones, and those of another version
     * @throws IOException when the folder cannot be read
     */
    public List<Unreadable> unreadable() throws IOException {
        List<Unreadable> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + JOURNAL)) {
            for (Path file : files) {
                try {
                    FileJournal.read(file);
                } catch (IOException e) {
                    if (FileJournal.hasBegun(file)) {
                        named(file, e.getMessage()).ifPresent(found::add);
                    }
                }
            }
        }
        return found;
    }

    /** Empty for a file that no version calls so. */
    private static Optional<Unreadable> named(Path file, String why) {
        String[] parts = file.getFileName().toString().split("\\.");
        try {
            UUID migration = UUID.fromString(parts[0]);
            return Stream.of(Side.values()).filter(side -> side.label().equals(parts[1]))
                    .map(side -> new Unreadable(migration, side, why)).findFirst();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private Path journalPath(UUID migration, Side side) {
        return directory.resolve(
                migration + "." + side.label() + JOURNAL);
    }

    private static Path lockOf(Path journal) {
        return journal.resolveSibling(journal.getFileName() + ".lock");
    }
}
