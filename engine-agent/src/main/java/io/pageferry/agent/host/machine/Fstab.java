package io.pageferry.agent.host.machine;

import io.pageferry.agent.host.machine.tree.Edits;
import io.pageferry.agent.host.machine.tree.Refusal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** {@code /etc/fstab}: each line by a name of its file system that holds on any hardware. */
public final class Fstab {
    /** Where it is. */
    public static final String PATH = "/etc/fstab";

    private static final int FIELDS = 4;
    private static final int OPTIONS = 3;

    private Fstab() {
    }

    /**
     * A line of it.
     *
     * @param device  as named
     * @param point   where it is mounted
     * @param type    of the file system
     * @param options parted by commas
     */
    public record Entry(String device, String point, String type, String options) {
        /** {@return whether a boot goes on where the device is missing} */
        public boolean isOptional() {
            Set<String> all = Set.of(options.split(","));
            return all.contains("noauto") || all.contains("nofail");
        }
    }

    /**
     * Reads the lines of it.
     *
     * @param text of the file
     * @return its entries
     */
    public static List<Entry> entries(String text) {
        List<Entry> entries = new ArrayList<>();
        for (String line : text.lines().toList()) {
            Entry entry = entry(line);
            if (entry != null) {
                entries.add(entry);
            }
        }
        return entries;
    }

    private static Entry entry(String line) {
        String[] words = line.strip().split("\\s+");
        return words[0].startsWith("#") || words.length < FIELDS - 1 ? null
                : new Entry(words[0], words[1].replace("\\040", " "), words[2],
                words.length < FIELDS ? "defaults" : words[OPTIONS]);
    }

    /**
     * Has every line name its file system by UUID.
     *
     * @param edits   of the system
     * @param devices which are there
     * @throws IOException where a device that a boot wants is not known
     */
    static void adapt(Edits edits, Devices devices) throws IOException {
        String text = edits.read(PATH).orElseThrow(() -> Refusal.of("there is no " + PATH
                + " in it", "name a disk with a Linux system"));
        List<String> lines = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            lines.add(adapted(line, edits, devices));
        }
        edits.write(PATH, String.join("\n", lines), "file systems by UUID");
    }

    private static String adapted(String line, Edits edits, Devices devices)
            throws IOException {
        Entry entry = entry(line);
        if (entry == null || !StableNames.isUnstable(entry.device())) {
            return line;
        }
        try {
            return line.replace(entry.device(), StableNames.of(entry.device(), devices));
        } catch (IOException e) {
            if (!entry.isOptional()) {
                throw e;
            }
            edits.warn(PATH + " has " + entry.device() + " for " + entry.point()
                    + ", which is not known here; it was left (nofail)");
            return line;
        }
    }
}
