package io.pageferry.agent.cli.disk;

import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.guest.GuestKinds;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Disks as {@code convert} is given them: a disk: URI, or a path alone. */
public final class DiskNames {
    private static final String SCHEME = "disk";
    private static final String FORMAT = "format";
    private static final String EXPORT = "nbd";
    private static final String RAW = "raw";

    /** What a new file is, by the end of its name. */
    private static final Map<String, String> SUFFIXES = Map.of("qcow2", "qcow2", "vmdk", "vmdk",
            "vhdx", "vhdx", "vdi", "vdi", RAW, RAW, "img", RAW);

    private DiskNames() {
    }

    /**
     * Reads what is copied, or where to. A disk on which something is mounted is refused then.
     *
     * @param text as given
     * @return the disk
     * @throws UsageException where it is another guest
     */
    public static GuestUri parse(String text) {
        int colon = text.indexOf(':');
        String scheme = colon < 0 ? "" : text.substring(0, colon);
        if (!scheme.equals(SCHEME) && GuestKinds.find(scheme).isPresent()) {
            throw new UsageException("convert is for disks, not for " + text
                    + ": name a path or disk:PATH");
        }
        return GuestUri.parse(scheme.equals(SCHEME) ? text : SCHEME + ":" + text);
    }

    /**
     * Adds the format of the disks that are filled: as it was said, else of files that are not
     * there by the ends of their names.
     *
     * @param uri    the target
     * @param format of {@code --format}, or null
     * @return the target with its format; without one where all of them are devices
     * @throws UsageException where that makes no sense
     */
    public static GuestUri target(GuestUri uri, String format) {
        String said = uri.parameters().get(FORMAT);
        if (said != null && format != null && !said.equals(format)) {
            throw new UsageException("--format " + format + " is not the format=" + said + " of "
                    + uri.text());
        }
        if (said != null || format != null) {
            return format == null ? uri : uri.with(FORMAT, format);
        }
        List<String> formats = paths(uri).filter(path -> !Files.exists(path))
                .map(path -> formatOf(path)).distinct().toList();
        if (formats.size() > 1) {
            throw new UsageException(uri.text() + " are of several formats: copy one after"
                    + " another");
        }
        return formats.isEmpty() ? uri : uri.with(FORMAT, formats.getFirst());
    }

    private static String formatOf(Path path) {
        String name = path.getFileName().toString();
        String format = SUFFIXES.get(name.substring(name.lastIndexOf('.') + 1)
                .toLowerCase(Locale.ROOT));
        if (format == null) {
            throw new UsageException("the name of " + path + " does not say its format: add"
                    + " --format raw, qcow2, vmdk, vhdx or vdi");
        }
        return format;
    }

    /**
     * Looks whether a target may be filled.
     *
     * @param from what is copied
     * @param to   the target, with its format
     * @throws GuestException where it is a file that is not said to be a disk, or the source
     */
    public static void requireFree(GuestUri from, GuestUri to) throws GuestException {
        for (Path path : paths(to).filter(Files::exists).toList()) {
            if (paths(from).anyMatch(source -> isSame(source, path))) {
                throw refused(path + " is copied onto itself", "name another TO");
            }
            if (Files.isRegularFile(path) && !to.parameters().containsKey(FORMAT)) {
                throw refused(path + " is there already", "name a new file, or say what it is,"
                        + " to have what is in it replaced: --format FORMAT");
            }
        }
    }

    private static boolean isSame(Path one, Path other) {
        try {
            return Files.exists(one) && Files.isSameFile(one, other);
        } catch (IOException e) {
            // Whoever opens it says why that cannot be.
            return false;
        }
    }

    private static Stream<Path> paths(GuestUri uri) {
        return Stream.of(uri.rest().split(",")).filter(path -> !path.isEmpty()
                && !path.startsWith(EXPORT)).map(Path::of);
    }

    private static GuestException refused(String what, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, what, remedy);
    }
}
