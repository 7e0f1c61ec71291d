package io.pageferry.agent.guest.machine;

import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.disk.DiskKind;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** A machine as the command line names it: this one, or a folder for one. */
final class MachineUri {
    /** Of a target: has it boot. Said by {@code --start} alone. */
    static final String START = "start";

    private static final String DISKS = "disks";
    private static final String FORMAT = "format";
    private static final String QCOW2 = "qcow2";
    private static final List<String> FORMATS = List.of(QCOW2, "raw", "vmdk", "vhdx", "vdi");
    private static final Set<String> OF_DISKS = Set.of("tracker", "on-read-error");

    private MachineUri() {
    }

    /**
     * A folder for a machine.
     *
     * @param folder absolute
     * @param format of its disks
     * @param start  whether it is booted
     */
    record Target(Path folder, String format, boolean start) { }

    /**
     * Reads which disks are named at the source.
     *
     * @return them; empty where the machine's own are meant
     * @throws IllegalArgumentException when it makes no sense
     */
    static List<Path> disks(GuestUri uri) {
        if (!uri.rest().isEmpty()) {
            throw new IllegalArgumentException("at the source a machine is this host: write"
                    + " machine: or machine:?disks=/dev/sda,/dev/sdb, not " + uri.text());
        }
        for (String key : uri.parameters().keySet()) {
            if (!key.equals(DISKS) && !OF_DISKS.contains(key)) {
                throw new IllegalArgumentException("a machine at the source has no '" + key
                        + "': there are disks, tracker and on-read-error");
            }
        }
        String named = uri.parameters().get(DISKS);
        if (named == null) {
            return List.of();
        }
        List<Path> disks = List.of(named.split(",", -1)).stream().map(Path::of).toList();
        if (disks.stream().anyMatch(disk -> !disk.isAbsolute())) {
            throw new IllegalArgumentException("disks=" + named + ": write absolute paths, as in"
                    + " disks=/dev/sda,/dev/sdb");
        }
        return disks;
    }

    /** {@return disks as a guest of their own, with what was said of them} */
    static GuestUri of(GuestUri uri, List<Path> disks) {
        GuestUri found = GuestUri.parse(DiskKind.SCHEME + ":" + disks.stream().map(Path::toString)
                .collect(Collectors.joining(",")));
        for (Map.Entry<String, String> one : uri.parameters().entrySet()) {
            found = OF_DISKS.contains(one.getKey()) ? found.with(one.getKey(), one.getValue())
                    : found;
        }
        return found;
    }

    /**
     * Reads a target.
     *
     * @throws IllegalArgumentException when it makes no sense
     */
    static Target target(GuestUri uri) {
        if (uri.rest().isEmpty()) {
            throw new IllegalArgumentException("receive a machine where? write machine:DIR, a new"
                    + " or empty folder for its disks");
        }
        for (String key : uri.parameters().keySet()) {
            if (!key.equals(FORMAT) && !key.equals(START)) {
                throw new IllegalArgumentException("a machine at the target has no '" + key
                        + "': write machine:DIR or machine:DIR?format=raw");
            }
        }
        String format = uri.parameters().getOrDefault(FORMAT, QCOW2);
        if (!FORMATS.contains(format)) {
            throw new IllegalArgumentException(FORMAT + "=" + format + ": of a machine's disks"
                    + " there are " + String.join(", ", FORMATS));
        }
        if (!uri.rest().matches("[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} &&[^,?]]+")) {
            throw new IllegalArgumentException("the folder of a machine must have a printable name"
                    + " without a comma: its disks are named by it");
        }
        return new Target(Path.of(uri.rest()).toAbsolutePath().normalize(), format,
                uri.parameters().containsKey(START));
    }
}
