package io.pageferry.agent.guest.qemu.start;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The files that a QEMU makes, that were not there before and that it leaves where it is killed:
 * sockets, a file of its number, memory. Its folder names them for whoever ends it.
 */
final class MadeFiles {
    private static final String NAME = "made";
    private static final int FILE_TYPE = 0170000;
    private static final int SOCKET = 0140000;
    private static final int REGULAR = 0100000;
    private static final int FIELDS = 3;
    /** Which file it is, of one that is not there yet. */
    private static final String ANY = "";

    private MadeFiles() {
    }

    /**
     * One of them.
     *
     * @param type as in its mode
     * @param file names it among all that have or had this path, or is {@link #ANY}
     * @param path raw
     */
    record Made(int type, String file, String path) {
        /** Which file of this type is there now; empty where there is none. */
        private Optional<String> there() {
            try {
                Map<String, Object> now = Files.readAttributes(Path.of(RawText.shown(path)),
                        "unix:mode,dev,ino", LinkOption.NOFOLLOW_LINKS);
                return ((int) now.get("mode") & FILE_TYPE) == type
                        ? Optional.of(now.get("dev") + ":" + now.get("ino")) : Optional.empty();
            } catch (IOException e) {
                return Optional.empty();
            }
        }

        private boolean isThere() {
            return there().filter(now -> file.equals(ANY) || file.equals(now)).isPresent();
        }
    }

    /** What arguments of QEMU have it make that is not there yet. */
    static List<Made> toBeMade(List<String> arguments) {
        List<Made> all = new ArrayList<>();
        for (QemuOption one : QemuOption.parse(arguments.subList(1, arguments.size()))) {
            if (one.value() == null) {
                continue;
            }
            OptionValue parts = one.parts();
            if (one.is("pidfile", "mem-path")) {
                all.add(new Made(REGULAR, ANY, one.value()));
            }
            if (one.is("object")) {
                parts.get("mem-path").ifPresent(path -> all.add(new Made(REGULAR, ANY, path)));
            }
            // Without server it is a client of a socket that somebody else made.
            boolean server = parts.isOn("server");
            if (one.is("chardev") && server) {
                parts.get("path").ifPresent(path -> all.add(new Made(SOCKET, ANY, path)));
            }
            if (server || one.is("vnc")) {
                parts.first().filter(first -> first.startsWith("unix:")).ifPresent(first ->
                        all.add(new Made(SOCKET, ANY, first.substring("unix:".length()))));
            }
        }
        return all.stream().filter(one -> one.path().startsWith("/") && isFree(one.path()))
                .toList();
    }

    private static boolean isFree(String raw) {
        Optional<String> path = RawText.decoded(raw);
        try {
            return path.isPresent()
                    && !Files.exists(Path.of(path.get()), LinkOption.NOFOLLOW_LINKS);
        } catch (IllegalArgumentException e) {
            // A name that this JVM's locale cannot say.
            return false;
        }
    }

    /** Those of a folder that are there now, each as the file that it is. */
    static List<Made> seen(Path folder) throws IOException {
        return read(folder).stream().flatMap(one -> one.there().stream()
                .map(now -> new Made(one.type(), now, one.path()))).toList();
    }

    /** Writes them into a folder, in place of those that it names. */
    static void write(Path folder, List<Made> all) throws IOException {
        List<String> words = new ArrayList<>();
        all.forEach(one -> words.addAll(
                List.of(Integer.toString(one.type()), one.file(), one.path())));
        Path next = folder.resolve(NAME + ".next");
        Files.write(next, LaunchedQemu.joined(words));
        // At once, as whoever reads it does when this process is killed.
        Files.move(next, folder.resolve(NAME), StandardCopyOption.ATOMIC_MOVE);
    }

    private static List<Made> read(Path folder) throws IOException {
        List<String> words = LaunchedQemu.cut(folder.resolve(NAME));
        List<Made> all = new ArrayList<>();
        for (int i = 0; i + FIELDS <= words.size(); i += FIELDS) {
            all.add(new Made(Integer.parseInt(words.get(i)), words.get(i + 1), words.get(i + 2)));
        }
        return all;
    }

    /** Deletes those of a folder; not what has taken the place of one. */
    static void delete(Path folder) {
        try {
            for (Made one : read(folder)) {
                if (one.isThere()) {
                    Files.deleteIfExists(Path.of(RawText.shown(one.path())));
                }
            }
        } catch (IOException | IllegalArgumentException e) {
            // The folder is gone, or not this user's any more.
            return;
        }
    }
}
