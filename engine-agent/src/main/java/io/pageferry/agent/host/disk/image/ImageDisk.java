package io.pageferry.agent.host.disk.image;

import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.disk.DiskOpening;
import io.pageferry.agent.host.disk.nbd.NbdAddress;
import io.pageferry.agent.host.disk.nbd.NbdDisk;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The disk in an image that is not raw. A qemu-nbd has the image, and locks it as every QEMU does;
 * a block device is held alone besides. An image that is to be made has no disk until its size is
 * known.
 */
public final class ImageDisk implements Disk {
    private final Path path;
    private final ImageFormat format;
    private final DiskOpening.Claim claim;
    /** Whether its file was not there before. */
    private boolean placed;
    /** Both null until it is made. */
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
        return open(path, format, false);
    }

    /**
     * Opens an image to fill its disk. Where there is no file, or one of no bytes, it is made when
     * its size is known.
     *
     * @param path   of a file or block device
     * @param format of it
     * @return the disk, the caller's to close
     * @throws GuestException where somebody else uses it, or it is something else
     */
    public static ImageDisk target(Path path, ImageFormat format) throws GuestException {
        boolean place = !Files.exists(path);
        try {
            if (place) {
                PrivateFiles.create(path);
            }
        } catch (IOException e) {
            throw refused("cannot make " + path + ": " + e, "name a file in a folder that is"
                    + " there");
        }
        ImageDisk opened = open(path, format, true);
        opened.placed = place;
        return opened;
    }

    private static ImageDisk open(Path path, ImageFormat format, boolean writes)
            throws GuestException {
        DiskOpening.Claim claim = DiskOpening.claim(path);
        ImageDisk opened = new ImageDisk(path, format, claim);
        boolean whole = false;
        try {
            if (!writes || !opened.isToBeMade()) {
                opened.requireFit();
                opened.connect(writes);
            }
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

    private boolean isToBeMade() throws IOException {
        return !claim.name().isDevice() && Files.size(path) == 0;
    }

    private void requireFit() throws GuestException, IOException {
        Optional<String> objection = format.objection(path);
        if (objection.isPresent()) {
            throw refused(path + " " + objection.get(), "make it one image that is complete in"
                    + " itself: qemu-img convert -f FORMAT -O " + format.label() + " " + path
                    + " NEW");
        }
    }

    private void connect(boolean writes) throws IOException {
        server = QemuNbd.start(claim.name().path(), claim.name().isDevice(), format, writes);
        NbdAddress address = new NbdAddress("", server.socket());
        disk = writes ? NbdDisk.target(address, identity(), NbdDisk.LIMIT)
                : NbdDisk.source(address, identity(), NbdDisk.LIMIT);
    }

    private static GuestException refused(String what, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, what, remedy);
    }

    @Override
    public void use(long most) throws IOException {
        if (disk == null) {
            QemuNbd.create(claim.name().path(), format, most);
            connect(true);
        }
        disk.use(most);
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
    public boolean isDevice() {
        return true;
    }

    /** {@return bytes of the disk in it; of one that is to be made as many as there can be} */
    @Override
    public long size() {
        return disk == null ? Long.MAX_VALUE : disk.size();
    }

    @Override
    public int sectorBytes() {
        return disk == null ? 1 : disk.sectorBytes();
    }

    @Override
    public long bytes() {
        return disk == null ? size() : disk.bytes();
    }

    @Override
    public boolean isUnchanged() {
        return disk == null || disk.isUnchanged();
    }

    @Override
    public void read(long offset, MemorySegment into, long at, long length) throws IOException {
        disk.read(offset, into, at, length);
    }

    @Override
    public long badSector(long offset, MemorySegment memory) {
        return disk.badSector(offset, memory);
    }

    @Override
    public void write(long offset, MemorySegment from, long at, long length) throws IOException {
        disk.write(offset, from, at, length);
    }

    @Override
    public void zero(long offset, long length) throws IOException {
        disk.zero(offset, length);
    }

    @Override
    public void sync() throws IOException {
        disk.sync();
    }

    @Override
    public long nextData(long offset) {
        return disk.nextData(offset);
    }

    @Override
    public long nextHole(long offset) {
        return disk.nextHole(offset);
    }

    /** Where no disk was made nothing boots. */
    @Override
    public void blankHead() throws IOException {
        if (disk != null) {
            disk.blankHead();
        }
    }

    @Override
    public boolean isHeadBlank() throws IOException {
        return disk == null || disk.isHeadBlank();
    }

    /** What was to be made and was not is gone. */
    @Override
    public void close() {
        if (disk != null) {
            disk.close();
        }
        if (server != null) {
            server.close();
        }
        try {
            if (placed && disk == null && isToBeMade()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            // A file of no bytes stays.
            return;
        } finally {
            placed = false;
            claim.close();
        }
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
