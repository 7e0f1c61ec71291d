package io.pageferry.agent.guest.disk.description;

import io.pageferry.agent.guest.disk.description.MachineDescription.Bus;
import io.pageferry.agent.guest.disk.description.MachineDescription.Card;
import io.pageferry.agent.guest.disk.description.MachineDescription.Disk;
import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A machine while its description is read. */
final class Draft {
    private static final int MOST_DISKS = 64;
    private static final int MOST_TEXT = 1 << 16;
    /** What XML can hold, on one line. */
    private static final Pattern PATH = Pattern.compile("[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} ]+");
    private static final Pattern EXTENT =
            Pattern.compile("RW \\d+ (?:FLAT|VMFS) \"([^\"]+)\"(?: 0)?\\s*");
    private static final List<String> CARDS = List.of("e1000", "e1000e", "vmxnet3", "virtio");

    private final Path folder;
    private final List<Disk> disks = new ArrayList<>();
    private final List<Card> cards = new ArrayList<>();
    private final List<String> left = new ArrayList<>();

    /** Begins one whose description is in a folder. */
    Draft(Path folder) {
        this.folder = folder;
    }

    /** Notes what is not taken over. */
    void leave(String what) {
        left.add(Printable.of(what));
    }

    void disk(Path file, String format, Bus bus) throws IOException {
        if (disks.size() == MOST_DISKS) {
            throw new IOException("it has more than " + MOST_DISKS + " disks");
        }
        disks.add(new Disk(file, format, bus));
    }

    /**
     * Takes a disk in a file beside the description. One elsewhere is refused: who made the
     * description could have any file of this host copied.
     */
    void vmdk(String name, Bus bus) throws IOException {
        Path file = beside(name);
        Optional<String> extent = flat(file);
        if (extent.isPresent()) {
            disk(beside(extent.get()), "raw", bus);
        } else {
            disk(file, "vmdk", bus);
        }
    }

    /** Finds the one file that a vmdk, which is text alone, has its data in, as they are. */
    private static Optional<String> flat(Path file) throws IOException {
        if (Files.size(file) > MOST_TEXT) {
            return Optional.empty();
        }
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        if (!text.startsWith("# Disk DescriptorFile")) {
            return Optional.empty();
        }
        if (!text.contains("parentCID=ffffffff")) {
            throw new IOException(file + " is what changed since a snapshot: delete the snapshots"
                    + " where the machine runs, which makes one disk of it");
        }
        List<String> extents = text.lines().filter(line -> line.matches("(RW|RDONLY|NOACCESS) .*"))
                .toList();
        Matcher one = EXTENT.matcher(extents.size() == 1 ? extents.getFirst() : "");
        return one.matches() ? Optional.of(one.group(1)) : Optional.empty();
    }

    /** Returns a file of the folder. A link there is as good as a name elsewhere: refused. */
    Path beside(String name) throws IOException {
        if (name.isEmpty() || name.contains("/") || name.contains("\\") || name.startsWith(".")) {
            throw new IOException("it names '" + Printable.of(name) + "', which is no file beside"
                    + " it: copy that one by itself, or put it there and name it so");
        }
        Path file = folder.resolve(path(name));
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            boolean isThere = Files.exists(file, LinkOption.NOFOLLOW_LINKS);
            throw new IOException("it names '" + Printable.of(name) + "', and " + (isThere
                    ? "what is there is no file but a link or such: put the disk itself there"
                    : "there is no such file beside it: put it there"));
        }
        return file;
    }

    /** Reads a path, which not every text is. */
    static Path path(String text) throws IOException {
        try {
            if (!PATH.matcher(text).matches()) {
                throw new InvalidPathException(text, "not printable");
            }
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new IOException("'" + Printable.of(text) + "' cannot be the name of a file", e);
        }
    }

    void card(String model, String mac) {
        String known = model.toLowerCase(Locale.ROOT);
        boolean isMac = mac.matches("(?i)([0-9a-f]{2}:){5}[0-9a-f]{2}");
        if (!isMac && !mac.isEmpty()) {
            leave("the address " + mac + " of a network card");
        }
        if (!CARDS.contains(known)) {
            leave("a network card " + model + ", which becomes an e1000");
        }
        cards.add(new Card(CARDS.contains(known) ? known : "e1000",
                isMac ? mac.toLowerCase(Locale.ROOT) : ""));
    }

    MachineDescription machine(String name, long memoryBytes, int cpus, boolean uefi) {
        return new MachineDescription(name, memoryBytes, cpus, uefi, disks, cards, left,
                null);
    }

    /** Reads how many bytes some units are; -1 where that is no number that could be one. */
    static long bytes(String text, long unit) {
        try {
            long count = Long.parseLong(text.strip());
            return count < 0 || Math.multiplyHigh(count, unit) != 0 || count * unit < 0 ? -1
                    : count * unit;
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /** Reads a number of things; -1 where it is none. */
    static int count(String text) {
        return (int) Math.min(bytes(text, 1), Integer.MAX_VALUE);
    }
}
