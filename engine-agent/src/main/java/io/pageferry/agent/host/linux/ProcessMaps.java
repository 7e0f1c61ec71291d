package io.pageferry.agent.host.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What a process has mapped and opened, read from {@code /proc}. Everything is a snapshot that may
 * be old when it returns. Any thread.
 */
public final class ProcessMaps {
    /**
     * Which file it is, by whatever name.
     *
     * @param device number of its file system, {@code major << 32 | minor}, 0 for none
     * @param inode  number of the file there, 0 for none
     */
    public record FileId(long device, long inode) {
    }

    /**
     * One mapping.
     *
     * @param start       address of its first byte
     * @param end         address behind its last byte
     * @param permissions four letters, for example {@code rw-s}
     * @param offset      of its first byte in the file
     * @param file        which file, zeros for anonymous memory
     * @param path        as the kernel writes it: with {@code " (deleted)"} at the end where that
     *                    is so, line ends as {@code \012}; {@code ""} for anonymous memory
     */
    public record Mapping(long start, long end, String permissions, long offset, FileId file,
            String path) {
        /**
         * Returns the length.
         *
         * @return bytes
         */
        public long length() {
            return end - start;
        }

        /**
         * Returns whether writes through it change what others see of the file.
         *
         * @return true when it is both shared and writable
         */
        public boolean writesToFile() {
            return permissions.charAt(1) == 'w' && permissions.charAt(3) == 's';
        }
    }

    /**
     * One open descriptor of a regular file or memfd.
     *
     * @param fd     its number in that process
     * @param target its link as {@code /proc} shows it
     * @param memfd  whether it is memory without a name in any file system
     * @param file   which file
     * @param size   bytes
     */
    public record OpenFile(int fd, String target, boolean memfd, FileId file, long size) {
    }

    /** Of {@link #openFlags}; {@code asm-generic/fcntl.h}, arm64 has another number there. */
    public static final long O_DIRECT = System.getProperty("os.arch").equals("aarch64")
            ? 0200000 : 0040000;
    /** Of {@link #openFlags}: 0 where it is open for reading only. */
    public static final long O_ACCMODE = 3;

    private static final int FIELDS = 5;
    private static final int PERMISSIONS = 4;

    private ProcessMaps() {
    }

    /**
     * Lists the mappings of a process.
     *
     * @param pid a process that may be traced
     * @return in ascending order of address; empty for a process that ended but was not reaped
     * @throws IOException when there is no such process, or it may not be looked at
     */
    public static List<Mapping> of(long pid) throws IOException {
        return parseAll(text(pid));
    }

    /** Latin-1 reads any byte: a path need not be UTF-8, and must not end the parsing. */
    private static String text(long pid) throws IOException {
        return Files.readString(proc(pid, "maps"), StandardCharsets.ISO_8859_1);
    }

    static List<Mapping> parseAll(String text) throws IOException {
        List<Mapping> all = new ArrayList<>();
        for (String line : text.lines().toList()) {
            all.add(ProcText.parse("a line of maps", line, ProcessMaps::parse));
        }
        return all;
    }

    /**
     * Lists the mappings of one file.
     *
     * @param pid  a process that may be traced
     * @param file which file
     * @return in ascending order of address; the same part of the file may be there twice
     * @throws IOException when there is no such process, or it may not be looked at
     */
    public static List<Mapping> ofFile(long pid, FileId file) throws IOException {
        return of(pid).stream().filter(mapping -> mapping.file().equals(file)).toList();
    }

    /**
     * Reads the flags of an open descriptor out of its {@code fdinfo}: the line {@code flags:} is
     * octal (man 5 proc).
     *
     * @param info content of that file
     * @return its {@code O_} flags, 0 where there is no such line
     * @throws IOException when what stands there is no octal number
     */
    public static long openFlags(String info) throws IOException {
        return ProcText.parse("fdinfo", info, text -> text.lines()
                .filter(line -> line.startsWith("flags:"))
                .mapToLong(line -> Long.parseLong(line.substring("flags:".length()).strip(), 8))
                .findFirst().orElse(0));
    }

    /** Reads one line: {@code start-end perms offset major:minor inode path}. */
    static Mapping parse(String line) {
        String[] field = new String[FIELDS];
        int at = 0;
        for (int i = 0; i < FIELDS; i++) {
            int end = line.indexOf(' ', at);
            end = end < 0 ? line.length() : end;
            field[i] = line.substring(at, end);
            at = Math.min(end + 1, line.length());
        }
        int dash = field[0].indexOf('-');
        int colon = field[3].indexOf(':');
        long device = hex(field[3].substring(0, colon)) << 32 | hex(field[3].substring(colon + 1));
        FileId file = new FileId(device, Long.parseUnsignedLong(field[4]));
        // A name never begins with a blank, so leading ones are the kernel's padding. A blank at
        // its end belongs to the name.
        String path = utf8(line.substring(at).replaceFirst("^ +", ""));
        Mapping mapping = new Mapping(hex(field[0].substring(0, dash)),
                hex(field[0].substring(dash + 1)), field[1], hex(field[2]), file, path);
        if (field[1].length() != PERMISSIONS
                || Long.compareUnsigned(mapping.start(), mapping.end()) >= 0) {
            throw new IllegalArgumentException(line);
        }
        return mapping;
    }

    private static long hex(String digits) {
        return Long.parseUnsignedLong(digits, 16);
    }

    private static String utf8(String bytes) {
        return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    /**
     * Returns which file a path names.
     *
     * @param path any path, links followed, also {@code /proc/PID/fd/N}
     * @return what mappings of that file show. (Not on btrfs or overlayfs, whose mappings show a
     *         device of their own.)
     * @throws IOException when there is no such file
     */
    public static FileId fileId(Path path) throws IOException {
        long dev = ((Number) Files.getAttribute(path, "unix:dev")).longValue();
        long inode = ((Number) Files.getAttribute(path, "unix:ino")).longValue();
        // glibc's gnu_dev_major and gnu_dev_minor, sys/sysmacros.h
        long major = dev >>> 8 & 0xfff | dev >>> 32 & 0xfffff000L;
        long minor = dev & 0xff | dev >>> 12 & 0xffffff00L;
        return new FileId(major << 32 | minor, inode);
    }

    /**
     * Lists the regular files and memfds that a process has open.
     *
     * @param pid a process that may be traced
     * @return in no order
     * @throws IOException when there is no such process, or it may not be looked at
     */
    public static List<OpenFile> openFiles(long pid) throws IOException {
        List<OpenFile> files = new ArrayList<>();
        forEachEntry(proc(pid, "fd"), entry -> {
            if (Files.isRegularFile(entry)) {
                String target = Files.readSymbolicLink(entry).toString();
                files.add(new OpenFile(Integer.parseInt(entry.getFileName().toString()), target,
                        target.startsWith("/memfd:"), fileId(entry), Files.size(entry)));
            }
        });
        return files;
    }

    /**
     * Lists what a process has open, as {@code /proc} shows it.
     *
     * @param pid a process that may be looked at
     * @return a link for each descriptor, as {@code socket:[4711]}
     * @throws IOException when there is no such process, or it may not be looked at
     */
    static List<String> links(long pid) throws IOException {
        List<String> links = new ArrayList<>();
        forEachEntry(proc(pid, "fd"), entry ->
                links.add(Files.readSymbolicLink(entry).toString()));
        return links;
    }

    /**
     * Looks for further writers of a file: every process that has it mapped shared and writable.
     * Processes that may not be looked at are passed over.
     *
     * @param file   which file
     * @param except processes that are known to have it
     * @return their process ids
     * @throws IOException when {@code /proc} cannot be read
     */
    public static List<Long> otherWriters(FileId file, List<Long> except) throws IOException {
        return otherWriters(Set.of(file), except);
    }

    /**
     * The same for several files, in one look at every process.
     *
     * @param files  which files
     * @param except processes that are known to have them
     * @return ids of processes that have one of them
     * @throws IOException when {@code /proc} cannot be read
     */
    public static List<Long> otherWriters(Set<FileId> files, Collection<Long> except)
            throws IOException {
        Predicate<Mapping> writes = mapping ->
                files.contains(mapping.file()) && mapping.writesToFile();
        // Hardly a process has one of them: most need not be parsed, which takes longer than to
        // read them, and a paused guest waits for it.
        List<String> inodes = files.stream().map(file -> " " + file.inode() + " ").toList();
        List<Long> writers = new ArrayList<>();
        forEachProcess(pid -> {
            if (!except.contains(pid)) {
                String text = text(pid);
                if (inodes.stream().anyMatch(text::contains)
                        && parseAll(text).stream().anyMatch(writes)) {
                    writers.add(pid);
                }
            }
        });
        return writers;
    }

    /**
     * Finds the processes that have a socket, pipe or the like open.
     *
     * @param link the descriptor's link as {@code /proc} shows it, as {@code socket:[4711]}
     * @return process ids, ascending; processes that may not be looked at are passed over
     * @throws IOException when {@code /proc} cannot be read
     */
    static List<Long> holdersOf(String link) throws IOException {
        List<Long> holders = new ArrayList<>();
        forEachProcess(pid -> {
            if (links(pid).contains(link)) {
                holders.add(pid);
            }
        });
        holders.sort(null);
        return holders;
    }

    /**
     * Finds the processes that have a file open. A name alone is no proof: another process may have
     * a file of that name in a file system of its own.
     *
     * @param file a file, or a named pipe
     * @return process ids, ascending; processes that may not be looked at are passed over
     * @throws IOException when {@code /proc} or the file cannot be read
     */
    public static List<Long> holdersOf(Path file) throws IOException {
        List<Long> holders = new ArrayList<>();
        for (long pid : holdersOf(file.toString())) {
            if (holds(pid, file)) {
                holders.add(pid);
            }
        }
        return holders;
    }

    /**
     * Says whether a process has a file open.
     *
     * @param pid  a process
     * @param file a file, or a named pipe
     * @return whether a descriptor of it is that file; false of a process that ended
     */
    public static boolean holds(long pid, Path file) {
        boolean[] found = new boolean[1];
        try {
            FileId id = fileId(file);
            forEachEntry(proc(pid, "fd"), entry -> found[0] |= id.equals(fileId(entry)));
        } catch (IOException e) {
            return false;
        }
        return found[0];
    }

    private static Path proc(long pid, String what) {
        return Path.of("/proc", Long.toString(pid), what);
    }

    private interface Visitor<T> {
        void visit(T thing) throws IOException;
    }

    private static void forEachProcess(Visitor<Long> visitor) throws IOException {
        forEachEntry(Path.of("/proc"), entry -> {
            String name = entry.getFileName().toString();
            if (name.chars().allMatch(Character::isDigit)) {
                visitor.visit(Long.parseLong(name));
            }
        });
    }

    /** Entries of /proc vanish while they are read, and some are not ours to read. */
    private static void forEachEntry(Path directory, Visitor<Path> visitor) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                visitUnlessGone(entry, visitor);
            }
        } catch (DirectoryIteratorException | UncheckedIOException e) {
            throw new IOException(directory + " cannot be listed", e);
        }
    }

    private static void visitUnlessGone(Path entry, Visitor<Path> visitor) throws IOException {
        try {
            visitor.visit(entry);
        } catch (NoSuchFileException | java.nio.file.AccessDeniedException e) {
            return; // gone or not ours: the rest still counts
        } catch (IOException e) {
            // A process that ends while its files are read answers ESRCH, as plain IOException.
            if (Files.exists(entry)) {
                throw e;
            }
        }
    }
}
