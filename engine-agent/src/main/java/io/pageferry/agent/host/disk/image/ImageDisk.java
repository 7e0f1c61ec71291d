package io.pageferry.agent.host.disk.image;

import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.disk.DiskOpening;
import io.pageferry.agent.host.disk.nbd.NbdAddress;
import io.pageferry.agent.host.disk.nbd.NbdDisk;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The disk in an image that is not raw. A qemu-nbd has the image, and locks it as every QEMU does;
 * a block device is held alone besides.
 */
public final class ImageDisk extends ForwardedDisk {
    private final Path path;
    private final ImageFormat format;
    private final DiskOpening.Claim claim;
    /** Both null until it is connected. */
    private QemuNbd server;
    private NbdDisk disk;

    private ImageDisk(Path path, ImageFormat format, DiskOpening.Claim claim) {
        this.path = path;
        this.format = format;
        this.claim = claim;
    }

    /**
     * Opens an image to read its disk.
     *
     * @param path   of a file or block device
     * @param format of it
     * @return the disk, the caller's to close
     * @throws GuestException where somebody else uses it, or it is not such an image
     */
    public static ImageDisk source(Path path, ImageFormat format) throws GuestException {
        return open(path, format, NbdDisk.Use.SOURCE);
    }

    /**
     * Opens an image to fill its disk.
     *
     * @param path   of a file or block device
     * @param format of it
     * @return the disk, the caller's to close
     * @throws GuestException where somebody else uses it, or it is something else
     */
    public static ImageDisk target(Path path, ImageFormat format) throws GuestException {
        return open(path, format, NbdDisk.Use.TARGET);
    }

    /** Opens an image that was made a moment ago: its disk holds nothing yet. */
    static ImageDisk made(Path path, ImageFormat format) throws GuestException {
        return open(path, format, NbdDisk.Use.MADE);
    }

    private static ImageDisk open(Path path, ImageFormat format, NbdDisk.Use use)
            throws GuestException {
        DiskOpening.Claim claim = DiskOpening.claim(path);
        ImageDisk opened = new ImageDisk(path, format, claim);
        boolean whole = false;
        try {
            opened.requireFit();
            opened.connect(use);
            whole = true;
            return opened;
        } catch (IOException e) {
            throw refused(e.getMessage(), "look at the image: qemu-img check -f "
                    + format.label() + " " + path);
        } finally {
            if (!whole) {
                opened.close();
            }
        }
    }

    private void requireFit() throws GuestException, IOException {
        Optional<String> objection = format.objection(path);
        if (objection.isPresent()) {
            throw refused(path + " " + objection.get(), "make it one image that is complete in"
                    + " itself: qemu-img convert -f FORMAT -O " + format.label() + " " + path
                    + " NEW");
        }
    }

    private void connect(NbdDisk.Use use) throws IOException {
        server = QemuNbd.start(claim.name().path(), claim.name().isDevice(), format,
                use != NbdDisk.Use.SOURCE);
        NbdAddress address = new NbdAddress("", server.socket());
        disk = NbdDisk.connect(address, identity(), NbdDisk.LIMIT, use);
    }

    private static GuestException refused(String what, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, what, remedy);
    }

    @Override
    Disk to() {
        return disk;
    }

    @Override
    public String address() {
        return claim.name().path() + "?format=" + format.label();
    }

    @Override
    public String label() {
        return path.getFileName().toString();
    }

    @Override
    public String identity() {
        return claim.name().identity();
    }

    @Override
    public void close() {
        if (disk != null) {
            disk.close();
        }
        if (server != null) {
            server.close();
        }
        claim.close();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
