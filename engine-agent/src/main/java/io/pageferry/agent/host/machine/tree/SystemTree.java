package io.pageferry.agent.host.machine.tree;

import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The files of a system below a folder that is its root. Symbolic links lead where they would lead
 * in that system: whoever made it cannot have a file of this host read or written. Paths begin
 * with a slash. Texts are bytes, each one character.
 */
public final class SystemTree {
    private static final int MOST_LINKS = 40;
    private static final long MOST_BYTES = 64L << 20;

    private final Path root;

    /**
     * Makes a view of a tree.
     *
     * @param root the folder
     */
    public SystemTree(Path root) {
        this.root = root;
    }

    /** {@return the folder} */
    public Path root() {
        return root;
    }

    /**
     * Finds a file as this host sees it.
     *
     * @param path in the system; the last parts of it may be missing
     * @return its path here, without links below the root
     * @throws IOException where links lead round in circles
     */
    public Path resolve(String path) throws IOException {
        Deque<String> left = new ArrayDeque<>(Arrays.asList(path.split("/")));
        List<String> found = new ArrayList<>();
        int links = 0;
        while (!left.isEmpty()) {
            String part = left.pop();
            if (part.isEmpty() || part.equals(".")) {
                continue;
            }
            if (part.equals("..")) {
                if (!found.isEmpty()) {
                    found.removeLast();
                }
                continue;
            }
            found.add(part);
            Path at = at(found);
            if (Files.isSymbolicLink(at)) {
                links++;
                if (links > MOST_LINKS) {
                    throw new IOException("too many symbolic links in " + path);
                }
                String target = Files.readSymbolicLink(at).toString();
                found.removeLast();
                if (target.startsWith("/")) {
                    found.clear();
                }
                List<String> more = Arrays.asList(target.split("/"));
                Collections.reverse(more);
                more.forEach(left::push);
            }
        }
        return at(found);
    }

    private Path at(List<String> parts) {
        Path at = root;
        for (String part : parts) {
            at = at.resolve(part);
        }
        return at;
    }

    /**
     * Reads a file.
     *
     * @param path in the system
     * @return its text; empty where there is no regular file
     * @throws IOException when it cannot be read
     */
    public Optional<String> read(String path) throws IOException {
        Path file = resolve(path);
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        if (Files.size(file) > MOST_BYTES) {
            throw Refusal.of(path + " is larger than any such file should be", "look at it");
        }
        return Optional.of(Files.readString(file, StandardCharsets.ISO_8859_1));
    }

    /**
     * Looks whether something is there.
     *
     * @param path in the system
     * @return whether there is a file or folder
     * @throws IOException where links lead round in circles
     */
    public boolean exists(String path) throws IOException {
        return Files.exists(resolve(path), LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * Lists a folder.
     *
     * @param folder in the system
     * @return the names in it, in order; none where it is missing
     * @throws IOException when it cannot be read
     */
    public List<String> list(String folder) throws IOException {
        Path at = resolve(folder);
        List<String> names = new ArrayList<>();
        if (!Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
            return names;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(at)) {
            entries.forEach(entry -> names.add(entry.getFileName().toString()));
        }
        Collections.sort(names);
        return names;
    }

    /**
     * Lists the files of a folder by the ends of their names.
     *
     * @param folder in the system
     * @param suffix of the names
     * @return paths in the system, in order
     * @throws IOException when it cannot be read
     */
    public List<String> files(String folder, String suffix) throws IOException {
        return list(folder).stream().filter(name -> name.endsWith(suffix))
                .map(name -> folder + "/" + name).toList();
    }

    /**
     * Finds a program.
     *
     * @param name of it
     * @return whether it is in one of the usual folders
     * @throws IOException where links lead round in circles
     */
    public boolean hasProgram(String name) throws IOException {
        for (String folder : List.of("/usr/sbin", "/usr/bin", "/sbin", "/bin")) {
            if (Files.isExecutable(resolve(folder + "/" + name))) {
                return true;
            }
        }
        return false;
    }

    /**
     * Requires a program.
     *
     * @param name of it
     * @throws IOException where it is missing
     */
    public void requireProgram(String name) throws IOException {
        if (!hasProgram(name)) {
            throw missing(name);
        }
    }

    private static GuestException missing(String name) {
        return Refusal.of("the system has no " + name, "install it there first");
    }
}
