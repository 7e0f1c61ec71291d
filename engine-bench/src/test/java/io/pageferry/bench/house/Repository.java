package io.pageferry.bench.house;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The checkout that is tested. */
final class Repository {

    private static final Set<String> NOT_OURS = Set.of(".git", "target", ".idea", ".jqwik");

    private Repository() { }

    /** Its folder; surefire says it, an IDE starts tests in a module's folder. */
    static Path root() {
        String told = System.getProperty("pageferry.root");
        return told == null ? Path.of("..").toAbsolutePath().normalize() : Path.of(told);
    }

    static List<Source> sources() {
        return files().stream()
                .filter(file -> file.toString().endsWith(".java"))
                // What a module may read is held by the compiler.
                .filter(file -> !file.endsWith("module-info.java"))
                .map(file -> Source.of(relative(file), read(file)))
                .toList();
    }

    /** Every file that is kept, without what a build makes. */
    static List<Path> files() {
        List<Path> files = new ArrayList<>();
        try {
            Files.walkFileTree(root(), new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes a) {
                    return NOT_OURS.contains(folder.getFileName().toString())
                            ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes a) {
                    // A worktree has a file .git, which names a folder of the machine.
                    if (a.isRegularFile() && !file.endsWith(".git")) {
                        files.add(file);
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return files;
    }

    static String relative(Path file) {
        return root().relativize(file).toString().replace('\\', '/');
    }

    /** The text of a file, or none where it is not text. */
    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (MalformedInputException e) {
            return "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
