package io.pageferry.agent.cli.disk;

import io.pageferry.agent.cli.option.UsageException;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.disk.description.DescriptionFile;
import io.pageferry.agent.guest.disk.description.MachineDescription.Disk;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What {@code convert} makes of a machine's description: its disks, and the other side's. */
public final class MachineCopy {
    private static final String SCHEME = "disk:";
    private static final String NAME_ANOTHER = "name another folder";

    private final DescriptionFile description;
    private final Path folder;
    private final List<Disk> copies;
    private final List<Path> written = new ArrayList<>();
    private boolean made;

    private MachineCopy(DescriptionFile description, Path folder, List<Disk> copies) {
        this.description = description;
        this.folder = folder;
        this.copies = copies;
    }

    /**
     * Reads a description, where FROM is one.
     *
     * @param from   as given
     * @param to     the folder that is filled
     * @param format of {@code --format}, or null
     * @return what is to be made of it; empty where FROM is a disk
     * @throws GuestException where it cannot be used
     */
    public static Optional<MachineCopy> of(String from, String to, String format)
            throws GuestException {
        if (from.startsWith(SCHEME) || from.contains("?")
                || !DescriptionFile.isOne(Path.of(from))) {
            return Optional.empty();
        }
        DescriptionFile description = DescriptionFile.read(Path.of(from));
        String wanted = format == null ? description.usualFormat() : format;
        if (description.usualFormat().equals("vmdk") && !wanted.equals("vmdk")) {
            throw new UsageException("--format " + wanted + ": the other side of " + from
                    + " is VMware, whose disks are vmdk");
        }
        Path folder = Path.of(to).toAbsolutePath();
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new UsageException(to + " is no folder: what comes of a description is several"
                    + " files");
        }
        List<Disk> disks = description.machine().disks();
        List<Disk> copies = new ArrayList<>();
        for (int i = 0; i < disks.size(); i++) {
            copies.add(new Disk(folder.resolve(description.machine().name()
                    + (disks.size() == 1 ? "" : "-" + i) + "." + wanted), wanted,
                    disks.get(i).bus()));
        }
        requireUniform(description, disks);
        MachineCopy copy = new MachineCopy(description, folder, List.copyOf(copies));
        copy.requireFree();
        return Optional.of(copy);
    }

    private static void requireUniform(DescriptionFile description, List<Disk> disks)
            throws GuestException {
        if (disks.stream().map(Disk::format).distinct().count() > 1) {
            throw refused("the disks of " + description.path() + " are of several formats",
                    "copy them one by one, and describe the machine by hand");
        }
        for (Disk disk : disks) {
            if (disk.file().toString().matches(".*[,?].*")) {
                throw refused("the name of " + disk.file() + " has a comma or a question mark",
                        "give it another name, in the description too");
            }
        }
    }

    private void requireFree() throws GuestException {
        for (Disk copy : copies) {
            if (Files.exists(copy.file())) {
                throw refused(copy.file() + " is there already", NAME_ANOTHER);
            }
        }
    }

    /** {@return the disks that are copied} */
    public GuestUri source() {
        return uri(description.machine().disks());
    }

    /** {@return what they are copied into} */
    public GuestUri target() {
        return uri(copies);
    }

    private static GuestUri uri(List<Disk> disks) {
        return GuestUri.parse(SCHEME + disks.stream().map(disk -> disk.file().toString())
                .collect(Collectors.joining(",")) + "?format=" + disks.getFirst().format());
    }

    /** {@return what of the machine the other side does not get, one line each} */
    public List<String> notes() {
        return description.notes().stream().map(note -> "not taken over: " + note).toList();
    }

    /**
     * Writes the other side's description, before any disk.
     *
     * @throws GuestException where it cannot be written; nothing is left then
     */
    public void begin() throws GuestException {
        boolean whole = false;
        try {
            made = !Files.exists(folder);
            Files.createDirectories(folder);
            written.addAll(description.write(folder, copies));
            whole = true;
        } catch (IOException e) {
            throw refused("cannot write into " + folder + ": " + e, NAME_ANOTHER);
        } finally {
            if (!whole) {
                giveUp();
            }
        }
    }

    /** {@return what was written, in one line} */
    public String words() {
        return "described in " + written.stream().map(Path::toString)
                .collect(Collectors.joining(", "));
    }

    /** Takes away what was written: the disks came to nothing. */
    public void giveUp() {
        try {
            for (Path file : written) {
                Files.deleteIfExists(file);
            }
            if (made) {
                Files.deleteIfExists(folder);
            }
        } catch (IOException e) {
            // What is still in it is somebody else's.
            return;
        }
    }

    private static GuestException refused(String what, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, what, remedy);
    }
}
