package io.pageferry.agent.guest.disk.description;

import io.pageferry.agent.guest.disk.description.MachineDescription.Bus;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * A file that describes a machine, known by the end of its name.
 *
 * @param path    absolute
 * @param machine as it says
 */
public record DescriptionFile(Path path, MachineDescription machine) {
    private static final int MOST_BYTES = 1 << 20;

    /** Whose they are. */
    private enum Kind {
        VMX, OVF, XML;

        boolean isOf(Path path) {
            return path.getFileName().toString().toLowerCase(Locale.ROOT)
                    .endsWith("." + name().toLowerCase(Locale.ROOT));
        }
    }

    /**
     * Returns whether a name is one of a description.
     *
     * @param path of a file
     * @return whether it ends like one
     */
    public static boolean isOne(Path path) {
        return path.getFileName() != null
                && List.of(Kind.values()).stream().anyMatch(kind -> kind.isOf(path));
    }

    /**
     * Reads a description. Nothing in it is trusted.
     *
     * @param path that {@link #isOne}
     * @return it
     * @throws GuestException in one line, where it is none, or of a machine that cannot be copied
     */
    public static DescriptionFile read(Path path) throws GuestException {
        try {
            Path file = path.toAbsolutePath();
            MachineDescription machine = read(text(file), file);
            String missing = machine.missing();
            if (!missing.isEmpty()) {
                throw new IOException("it " + missing);
            }
            return new DescriptionFile(file, machine);
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "the description " + path
                    + " cannot be used: " + e.getMessage(), "or copy its disks one by one, and"
                    + " describe the machine by hand");
        }
    }

    private static MachineDescription read(String text, Path file) throws IOException {
        Path folder = file.getParent();
        return Kind.VMX.isOf(file) ? VmxFile.read(text, folder)
                : Kind.OVF.isOf(file) ? OvfFile.read(text, folder)
                : LibvirtFile.read(text, folder);
    }

    private static String text(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("there is no such file");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new IOException("it has more than " + MOST_BYTES + " bytes");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    /** {@return the format that disks on the other side mostly have} */
    public String usualFormat() {
        return Kind.XML.isOf(path) ? "vmdk" : "qcow2";
    }

    /** {@return what of the machine the other side does not get, one line each} */
    public List<String> notes() {
        List<String> notes = new ArrayList<>(machine.left());
        if (machine.uefi()) {
            notes.add("the variables of its firmware, its boot entries among them");
        }
        if (Kind.XML.isOf(path) && machine.disks().stream()
                .anyMatch(disk -> disk.bus() == Bus.VIRTIO)) {
            notes.add("virtio, which VMware has not: such disks are on SATA then");
        }
        return List.copyOf(notes);
    }

    /**
     * Writes what the other side starts the machine by: for libvirt and QEMU, or for VMware.
     *
     * @param folder where
     * @param copies of the disks, in order
     * @return the files, none of which was there
     * @throws IOException when one cannot be written; none of them is left then
     */
    public List<Path> write(Path folder, List<MachineDescription.Disk> copies)
            throws IOException {
        MachineDescription copied = machine.with(copies);
        Map<String, String> files = new TreeMap<>();
        if (Kind.XML.isOf(path)) {
            files.put(".vmx", VmxFile.write(copied));
        } else {
            files.put(".xml", LibvirtFile.write(copied));
            files.put(".sh", QemuLine.write(copied));
        }
        for (String suffix : files.keySet()) {
            Path made = folder.resolve(copied.name() + suffix);
            if (Files.exists(made, LinkOption.NOFOLLOW_LINKS)) {
                throw new FileAlreadyExistsException(made.toString());
            }
        }
        List<Path> written = new ArrayList<>();
        try {
            for (Map.Entry<String, String> file : files.entrySet()) {
                Path made = folder.resolve(copied.name() + file.getKey());
                Files.createFile(made);
                written.add(made);
                Files.writeString(made, file.getValue());
            }
        } catch (IOException e) {
            for (Path made : written) {
                Files.deleteIfExists(made);
            }
            throw e;
        }
        return written;
    }
}
