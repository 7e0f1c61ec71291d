package io.pageferry.agent.guest.disk;

import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.disk.DiskName;
import io.pageferry.agent.host.disk.DiskOpening;
import io.pageferry.agent.host.disk.image.ImageDisk;
import io.pageferry.agent.host.disk.image.ImageFormat;
import io.pageferry.agent.host.disk.image.NewDisk;
import io.pageferry.agent.host.disk.nbd.NbdAddress;
import io.pageferry.agent.host.disk.nbd.NbdDisk;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where one disk is: a device or a raw file, an image, or an export of an NBD server.
 *
 * @param path   of a device, file or image; null of an export
 * @param format {@link #RAW}, the label of another one, or empty where none was given
 * @param export of an NBD server; null of anything else
 */
record DiskPlace(Path path, String format, NbdAddress export) {
    static final String FORMAT = "format";
    static final String RAW = "raw";

    /**
     * Reads one.
     *
     * @param text       a path, or the NBD URI up to its question mark
     * @param parameters {@code format} and {@code socket} of all disks of the guest
     * @throws IllegalArgumentException when it makes no sense
     */
    static DiskPlace parse(String text, Map<String, String> parameters) {
        if (text.startsWith("nbd")) {
            return new DiskPlace(null, "", NbdAddress.parse(text,
                    parameters.get(NbdAddress.SOCKET)));
        }
        return new DiskPlace(Path.of(text), parameters.getOrDefault(FORMAT, ""), null);
    }

    /** Reads what {@link Disk#address} gave. */
    static DiskPlace ofAddress(String address) {
        int question = address.lastIndexOf('?');
        if (question < 0) {
            return new DiskPlace(Path.of(address), RAW, null);
        }
        int equals = address.indexOf('=', question);
        return parse(address.substring(0, question), Map.of(
                address.substring(question + 1, equals), address.substring(equals + 1)));
    }

    /** Whether a format but raw was given. */
    boolean isImage() {
        return !format.isEmpty() && !format.equals(RAW);
    }

    /** What it is, for people. */
    String kind() {
        if (export != null) {
            return "an export, which nothing keeps others from writing to,";
        }
        return isImage() ? "a " + format + " image"
                : Files.isRegularFile(path) ? "a file" : "a device";
    }

    boolean isThere() {
        return Files.exists(export == null ? path : export.socket());
    }

    /** The path or URI, for people. */
    @Override
    public String toString() {
        return export == null ? path.toString() : export.toString();
    }

    /** What no other disk of this host has, as it is now. */
    String identity() throws IOException {
        return export == null ? DiskName.of(path).identity()
                : export.identity();
    }

    Disk source() throws GuestException {
        if (export != null) {
            return connect(NbdDisk::source);
        }
        Optional<ImageFormat> image = image();
        return image.isPresent() ? ImageDisk.source(path, image.get()) : DiskOpening.source(path);
    }

    Disk target() throws GuestException {
        if (export != null) {
            return connect(NbdDisk::target);
        }
        Optional<ImageFormat> image = image();
        if (!format.isEmpty() && NewDisk.isWanted(path)) {
            return NewDisk.of(path, image);
        }
        return image.isPresent() ? ImageDisk.target(path, image.get()) : DiskOpening.target(path);
    }

    /**
     * The format that was given. None is ever taken for granted: who writes to a raw disk could
     * make it look like an image that names any file of this host. A device without a format is
     * raw; of a file that looks like an image is asked what it is.
     */
    private Optional<ImageFormat> image() throws GuestException {
        if (!format.isEmpty()) {
            return Stream.of(ImageFormat.values()).filter(one -> one.label().equals(format))
                    .findFirst();
        }
        Optional<ImageFormat> looks = looks();
        if (looks.isPresent()) {
            String word = looks.get().label();
            throw new GuestException(ErrorCode.HOST_FAILED, path + " looks like a " + word
                    + " image, and a raw disk may look so too", "say which it is: ?format="
                    + word + " or ?format=raw");
        }
        return looks;
    }

    private Optional<ImageFormat> looks() {
        try {
            return Files.isRegularFile(path) ? ImageFormat.of(path) : Optional.empty();
        } catch (IOException e) {
            // Whoever opens it says why that cannot be.
            return Optional.empty();
        }
    }

    private interface Connector {
        NbdDisk connect(NbdAddress address, String identity, Duration limit)
                throws IOException;
    }

    private Disk connect(Connector connector) throws GuestException {
        try {
            return connector.connect(export, export.identity(), NbdDisk.LIMIT);
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, e instanceof
                    NoSuchFileException ? "there is no socket " + export.socket()
                    : e.getMessage(), "start a server that serves it: qemu-nbd --socket "
                    + export.socket() + " …, and see that it has no other client");
        }
    }
}
