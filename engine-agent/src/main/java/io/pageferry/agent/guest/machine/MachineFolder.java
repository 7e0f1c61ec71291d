package io.pageferry.agent.guest.machine;

import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.disk.DiskKind;
import io.pageferry.agent.guest.disk.description.MachineDescription;
import io.pageferry.agent.guest.disk.description.MachineDescription.Bus;
import io.pageferry.agent.guest.disk.description.MachineDescription.Card;
import io.pageferry.agent.guest.disk.description.MachineDescription.Disk;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The folder of a machine at the target. While one is on its way a file there, the claim, says
 * whose everything beside it is: what ends before deletes only what it made itself.
 *
 * @param path   of it, absolute
 * @param format of the disks
 * @param claim  name of the claim
 */
record MachineFolder(Path path, String format, String claim) {
    private static final String DESCRIPTION = "machine.json";
    private static final String DOMAIN = "machine.xml";
    private static final String SCRIPT = "qemu.sh";
    private static final String CLAIM = ".incoming-";
    private static final String NAME_ANOTHER = "name a new or an empty folder";
    private static final String MADE = "made";

    static MachineFolder of(MachineUri.Target target) {
        return new MachineFolder(target.folder(), target.format(), CLAIM + UUID.randomUUID());
    }

    /**
     * Looks whether a machine may come here. Nothing is made.
     *
     * @throws GuestException where something else is there
     */
    void requireFree() throws GuestException {
        try {
            if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                if (!Files.isDirectory(path.getParent())) {
                    throw refused("there is no folder " + path.getParent());
                }
                return;
            }
            if (!Files.isDirectory(path)) {
                throw refused(path + " is no folder");
            }
            if (PrivateFiles.othersMayWrite(path)) {
                throw new GuestException(ErrorCode.HOST_FAILED, path + " can be written to by other"
                        + " users", "chmod go-w " + path);
            }
            try (Stream<Path> there = Files.list(path)) {
                Optional<Path> first = there.sorted().findFirst();
                if (first.isPresent()) {
                    throw refused(path + " is not empty: " + first.get().getFileName()
                            + " is there");
                }
            }
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw refused("cannot look into " + path + ": " + e);
        }
    }

    /** {@return the file system that it is, or is going to be, in} */
    FileStore store() throws IOException {
        return Files.getFileStore(Files.exists(path) ? path : path.getParent());
    }

    /** Makes it, where it is not there, and the claim. */
    void begin() throws GuestException {
        requireFree();
        try {
            boolean made = !Files.exists(path);
            if (made) {
                PrivateFiles.createFolder(path);
            }
            PrivateFiles.replace(path.resolve(claim), (made ? MADE : "")
                    .getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw refused("cannot write into " + path + ": " + e);
        }
    }

    Path disk(int number) {
        return path.resolve("disk" + number + "." + format);
    }

    /** {@return its disks as a guest of their own, which makes them} */
    GuestUri disks(int count) {
        return GuestUri.parse(DiskKind.SCHEME + ":" + IntStream.range(0, count)
                .mapToObj(i -> disk(i).toString()).collect(Collectors.joining(","))
                + "?format=" + format);
    }

    Path script() {
        return path.resolve(SCRIPT);
    }

    /**
     * Writes down what starts it, durable on return.
     *
     * @param machine as the source says
     */
    void describe(Hardware machine) throws IOException {
        List<Disk> disks = IntStream.range(0, machine.disks().size())
                .mapToObj(i -> new Disk(disk(i), format, Bus.VIRTIO)).toList();
        List<Card> cards = machine.cards().stream()
                .map(card -> new Card("virtio", card.mac())).toList();
        MachineDescription described = new MachineDescription(machine.name(),
                machine.memoryBytes(), machine.cpus(), machine.uefi(), disks, cards, List.of(),
                UUID.randomUUID());
        PrivateFiles.replace(path.resolve(DESCRIPTION), HardwareJson.write(machine));
        PrivateFiles.replace(path.resolve(DOMAIN),
                described.domain().getBytes(StandardCharsets.UTF_8));
        PrivateFiles.replace(script(), described.script().getBytes(StandardCharsets.UTF_8));
        Files.setPosixFilePermissions(script(), PosixFilePermissions.fromString("rwx------"));
    }

    /** Has it be whole: nothing is deleted here any more. */
    void keep() throws GuestException {
        try {
            Files.deleteIfExists(path.resolve(claim));
        } catch (IOException e) {
            throw new GuestException(ErrorCode.GUEST_FAILED, "the machine in " + path + " is whole,"
                    + " and cannot be kept: " + e, "see that " + path + " can be written to")
                    .retryable();
        }
    }

    /** {@return whether what is here is of the move whose claim this is} */
    boolean isClaimed() {
        return Files.exists(path.resolve(claim), LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * Deletes what came, where it is claimed, the claim itself last.
     *
     * @throws IOException where something of it stays
     */
    void giveUp() throws IOException {
        if (!isClaimed()) {
            return;
        }
        boolean made = Files.readString(path.resolve(claim)).equals(MADE);
        List<Path> there;
        try (Stream<Path> all = Files.list(path)) {
            there = all.filter(file -> file.getFileName().toString().matches("disk[0-9]+\\."
                    + format)).toList();
        }
        for (Path file : there) {
            Files.delete(file);
        }
        for (String name : List.of(DESCRIPTION, DOMAIN, SCRIPT, claim)) {
            Files.deleteIfExists(path.resolve(name));
        }
        if (made) {
            Files.deleteIfExists(path);
        }
    }

    private static GuestException refused(String what) {
        return new GuestException(ErrorCode.HOST_FAILED, what, NAME_ANOTHER);
    }
}
