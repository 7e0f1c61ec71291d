package io.pageferry.agent.guest.process;

import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.ProcessMaps.Mapping;
import io.pageferry.agent.host.linux.ProcessMaps.OpenFile;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.userfault.UserfaultTracker;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The memory that a process shares with all that map the same files: each region is a stretch of
 * one file, without a gap, that the process maps; several mappings of a stretch are one region.
 * Files come in the order of their lowest address, the stretches of one by their offset. Owns the
 * files until {@link #map} or {@link #close}.
 */
final class SharedMappings implements AutoCloseable {
    private static final String DELETED = " (deleted)";
    private static final int MAX_NAME_BYTES = 200;

    private final long pid;
    private final String only;
    private final List<Part> parts = new ArrayList<>();
    private final List<View> views;

    /**
     * One region to be.
     *
     * @param name   unique
     * @param memory the file
     * @param offset of its first byte there
     * @param size   bytes, a multiple of the page size
     * @param views  where the process maps it, in ascending order of address
     */
    record Part(String name, SharedMemory memory, long offset, long size, List<View> views) { }

    /** A stretch of addresses that map a file alike, however many mappings it is made of. */
    record View(long start, long end, String permissions, long offset, ProcessMaps.FileId file,
            String path) {
        private static View of(Mapping one) {
            // That a name was taken away meanwhile changes nothing.
            return new View(one.start(), one.end(), one.permissions(), one.offset(), one.file(),
                    plain(one.path()));
        }

        private boolean goesOn(View next) {
            return end == next.start && offset + end - start == next.offset
                    && permissions.equals(next.permissions) && file.equals(next.file)
                    && path.equals(next.path);
        }

        private long endOffset() {
            return offset + end - start;
        }

        boolean isWritable() {
            return permissions.charAt(1) == 'w';
        }
    }

    private static String plain(String path) {
        return path.endsWith(DELETED) ? path.substring(0, path.length() - DELETED.length()) : path;
    }

    private SharedMappings(long pid, String only, List<View> views) {
        this.pid = pid;
        this.only = only;
        this.views = views;
    }

    /**
     * Finds the shared mappings of a process.
     *
     * @param pid  the process
     * @param only the path of the one file that is meant, as /proc shows it; null for all
     * @throws IOException when the process may not be looked at, or a file of it not be opened
     */
    static SharedMappings find(long pid, String only) throws IOException {
        SharedMappings found = new SharedMappings(pid, only, read(pid, only));
        boolean opened = false;
        try {
            found.open();
            opened = true;
            return found;
        } finally {
            if (!opened) {
                found.close();
            }
        }
    }

    /** Every shared view of each file that is somewhere mapped for writing. */
    private static List<View> read(long pid, String only) throws IOException {
        List<View> all = new ArrayList<>();
        for (Mapping one : ProcessMaps.of(pid)) {
            View next = View.of(one);
            if (one.permissions().charAt(3) != 's' || !isFile(one)
                    || only != null && !plain(only).equals(next.path())) {
                continue;
            }
            if (!all.isEmpty() && all.getLast().goesOn(next)) {
                View last = all.removeLast();
                next = new View(last.start(), next.end(), last.permissions(), last.offset(),
                        last.file(), last.path());
            }
            all.add(next);
        }
        return all.stream().filter(view -> all.stream().anyMatch(other ->
                other.isWritable() && sameFile(view, other))).toList();
    }

    /** Of SysV and anonymous memory, which have one file system, the numbers may be equal. */
    private static boolean sameFile(View one, View other) {
        return one.file().equals(other.file()) && one.path().equals(other.path());
    }

    /** What a device, a ring or a socket lends to the process is none (see Inspection). */
    static boolean isFile(Mapping one) {
        String path = one.path();
        return path.startsWith("/") && !path.startsWith("/[")
                && (!path.startsWith("/dev/") || path.startsWith("/dev/shm/")
                || path.startsWith("/dev/hugepages") || path.equals("/dev/zero" + DELETED));
    }

    private void open() throws IOException {
        Map<List<Object>, List<View>> files = new LinkedHashMap<>();
        for (View view : views) {
            files.computeIfAbsent(List.of(view.file(), view.path()), any -> new ArrayList<>())
                    .add(view);
        }
        Set<String> names = new HashSet<>();
        for (List<View> ofFile : files.values()) {
            List<View> byOffset = new ArrayList<>(ofFile);
            byOffset.sort(Comparator.comparingLong(View::offset));
            for (int i = 0; i < byOffset.size();) {
                int first = i;
                long end = byOffset.get(i++).endOffset();
                while (i < byOffset.size() && byOffset.get(i).offset() <= end) {
                    end = Math.max(end, byOffset.get(i++).endOffset());
                }
                add(byOffset.subList(first, i), end, names);
            }
        }
    }

    private void add(List<View> of, long end, Set<String> names) throws IOException {
        SharedMemory memory = SharedMemory.openReadOnly(reachable(of.getFirst()));
        long offset = of.getFirst().offset();
        long granule = memory.granule();
        // Behind the page of the file's last byte there is nothing, although it is mapped.
        long size = Math.min(end, (memory.size() + granule - 1) / granule * granule) - offset;
        if (size <= 0) {
            memory.close();
            return;
        }
        List<View> byAddress = of.stream().sorted(Comparator.comparingLong(View::start)).toList();
        parts.add(new Part(name(of.getFirst(), names), memory, offset, size, byAddress));
    }

    /** A path by which the file can be opened: it need not have a name any more. */
    private Path reachable(View view) throws IOException {
        Path folder = PausedProcess.proc(pid);
        try (DirectoryStream<Path> names = Files.newDirectoryStream(
                folder.resolve("map_files"), Long.toHexString(view.start()) + "-*")) {
            for (Path one : names) {
                if (Files.isReadable(one)) {
                    return one;
                }
            }
        } catch (IOException e) {
            // Descriptor and name are left to try.
        }
        for (OpenFile open : ProcessMaps.openFiles(pid)) {
            if (open.file().equals(view.file()) && plain(open.target()).equals(view.path())) {
                return folder.resolve("fd").resolve(Integer.toString(open.fd()));
            }
        }
        Path named = Path.of(view.path());
        if (Files.exists(named) && ProcessMaps.fileId(named).equals(view.file())) {
            return named;
        }
        throw new IOException("memory " + view.path() + " of process " + pid
                + " has no name: only root (CAP_CHECKPOINT_RESTORE) can open it");
    }

    private static String name(View first, Set<String> taken) {
        String path = first.path();
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        String shortened = bytes.length <= MAX_NAME_BYTES ? path : "..." + new String(bytes,
                bytes.length - MAX_NAME_BYTES, MAX_NAME_BYTES, StandardCharsets.ISO_8859_1)
                .replaceAll("[^\\x20-\\x7e]", "?");
        String base = first.offset() == 0 ? shortened
                : shortened + "@0x" + Long.toHexString(first.offset());
        String name = base;
        for (int i = 2; !taken.add(name); i++) {
            name = base + "#" + i;
        }
        return name;
    }

    List<Part> parts() {
        return List.copyOf(parts);
    }

    /** Opens them for reading; the files pass to what is returned. */
    RegionFiles map() throws IOException {
        List<Region> regions = new ArrayList<>();
        List<RegionFiles.Part> mapped = new ArrayList<>();
        for (Part part : parts) {
            regions.add(new Region(regions.size(), part.name(), part.views().getFirst().start(),
                    part.size(), part.memory().granule()));
            mapped.add(new RegionFiles.Part(part.memory(), part.offset()));
        }
        return RegionFiles.open(new RegionTable(regions), mapped, false);
    }

    /** Where a tracker has to watch: every writable view of each region. */
    List<UserfaultTracker.Range> ranges() {
        List<UserfaultTracker.Range> ranges = new ArrayList<>();
        long firstPage = 0;
        for (Part part : parts) {
            for (View view : part.views()) {
                long skip = view.offset() - part.offset();
                long length = Math.min(view.end() - view.start(), part.size() - skip);
                if (view.isWritable() && length > 0) {
                    ranges.add(new UserfaultTracker.Range(view.start(), length,
                            firstPage + (skip >>> PageGeometry.PAGE_SHIFT)));
                }
            }
            firstPage += PageGeometry.pagesFor(part.size());
        }
        return ranges;
    }

    /**
     * Looks for other processes that write to them.
     *
     * @param known processes that may
     * @return process ids
     */
    Set<Long> otherWriters(Set<Long> known) throws IOException {
        return new HashSet<>(ProcessMaps.otherWriters(parts.stream()
                .map(part -> part.views().getFirst().file()).collect(Collectors.toSet()), known));
    }

    /** Memory without a name that can be written by a descriptor too. */
    Set<ProcessMaps.FileId> writableUnnamed() {
        return parts.stream().filter(part -> part.memory().isUnnamed()
                        && part.memory().isWritableByDescriptor())
                .map(part -> part.views().getFirst().file()).collect(Collectors.toSet());
    }

    /** What is mapped otherwise now than when it was found, or null. */
    String change() throws IOException {
        List<View> now = read(pid, only);
        for (View view : views) {
            if (!now.contains(view)) {
                return view.path() + " at 0x" + Long.toHexString(view.start())
                        + " is gone or changed";
            }
        }
        for (View view : now) {
            if (!views.contains(view)) {
                return view.path() + " at 0x" + Long.toHexString(view.start()) + " is new";
            }
        }
        for (Part part : parts) {
            if (Files.size(part.memory().procPath()) != part.memory().size()) {
                return part.name() + " has another size";
            }
        }
        return null;
    }

    /** Closes the files. Idempotent. */
    @Override
    public void close() {
        parts.forEach(part -> part.memory().close());
    }
}
