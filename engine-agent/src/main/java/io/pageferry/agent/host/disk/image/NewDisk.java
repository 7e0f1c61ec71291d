package io.pageferry.agent.host.disk.image;

import io.pageferry.agent.host.disk.Disk;
import io.pageferry.agent.host.disk.DiskOpening;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A disk that is made when its size is known. Its file is there from the beginning, empty, so that
 * it has an identity; where nothing comes, or what came is given up, it goes again.
 */
public final class NewDisk extends ForwardedDisk {
    private final DiskOpening.Claim claim;
    /** Of the image that is made; raw where there is none. */
    private final Optional<ImageFormat> format;
    /** Whether its file was not there before. */
    private final boolean placed;
    private Disk made;
    private boolean discarded;

    private NewDisk(DiskOpening.Claim claim, Optional<ImageFormat> format, boolean placed) {
        this.claim = claim;
        this.format = format;
        this.placed = placed;
    }

    /**
     * Returns whether a disk has to be made.
     *
     * @param path of it
     * @return whether there is nothing, or a file of no bytes
     */
    public static boolean isWanted(Path path) {
        try {
            return !Files.exists(path) || Files.isRegularFile(path) && Files.size(path) == 0;
        } catch (IOException e) {
            // Whoever opens it says why that cannot be.
            return false;
        }
    }

    /**
     * Takes the place of a disk to come.
     *
     * @param path   of its file
     * @param format of the image; empty for a raw disk
     * @return the disk, the caller's to close
     * @throws GuestException where there can be no such file, or somebody else uses it
     */
    public static NewDisk of(Path path, Optional<ImageFormat> format) throws GuestException {
        boolean place = !Files.exists(path);
        try {
            if (place) {
                PrivateFiles.create(path);
            }
            return new NewDisk(DiskOpening.claim(path), format, place);
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw new GuestException(ErrorCode.HOST_FAILED, "cannot make " + path + ": " + e,
                    "name a file in a folder that is there");
        }
    }

    private Path path() {
        return claim.name().path();
    }

    @Override
    public void use(long most) throws IOException {
        if (made == null) {
            made = make(most);
        }
        made.use(most);
    }

    @Override
    Disk to() {
        return made;
    }

    private Disk make(long bytes) throws IOException {
        if (format.isPresent()) {
            QemuNbd.create(path(), format.get(), bytes);
            return ImageDisk.made(path(), format.get());
        }
        try (RandomAccessFile file = new RandomAccessFile(path().toFile(), "rw")) {
            file.setLength(bytes);
        }
        return DiskOpening.target(path());
    }

    @Override
    public String address() {
        return path() + format.map(known -> "?format=" + known.label()).orElse("");
    }

    @Override
    public String label() {
        return path().getFileName().toString();
    }

    @Override
    public String identity() {
        return claim.name().identity();
    }

    @Override
    public boolean isDevice() {
        return made == null || made.isDevice();
    }

    /** {@return bytes of it; as long as it is not made as many as there can be} */
    @Override
    public long size() {
        return made == null ? Long.MAX_VALUE : made.size();
    }

    @Override
    public int sectorBytes() {
        return made == null ? 1 : made.sectorBytes();
    }

    @Override
    public long bytes() {
        return made == null ? size() : made.bytes();
    }

    @Override
    public boolean isUnchanged() {
        return made == null || made.isUnchanged();
    }

    /** Where no disk was made nothing boots. */
    @Override
    public void blankHead() throws IOException {
        if (made != null) {
            made.blankHead();
        }
    }

    @Override
    public boolean isHeadBlank() throws IOException {
        return made == null || made.isHeadBlank();
    }

    @Override
    public boolean discard() {
        discarded = true;
        return placed;
    }

    @Override
    public void close() {
        if (made != null) {
            made.close();
        }
        try {
            if (placed && (made == null || discarded)) {
                Files.deleteIfExists(path());
            }
        } catch (IOException e) {
            // It stays: empty, or with a first MiB of zeros.
            return;
        } finally {
            discarded = false;
            claim.close();
        }
    }

    @Override
    public String toString() {
        return path().toString();
    }
}
