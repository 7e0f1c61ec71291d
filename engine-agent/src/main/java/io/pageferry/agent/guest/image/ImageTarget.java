package io.pageferry.agent.guest.image;

import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.room.RoomClaim;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.memory.HostFiles;
import io.pageferry.agent.host.memory.RegionFiles;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.ChecksumTable;
import io.pageferry.core.memory.PageStore;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * An image in a file: regions end to end, the first at offset 0. Beside it, once it is complete,
 * {@code FILE.state} holds the device state and {@code FILE.table} the {@link ImageTable}.
 */
final class ImageTarget implements TargetGuest {
    private final Path file;
    private final RoomClaim room;
    private final String identity;
    private final UnpublishedImage image;
    private ImageDigests digests;
    private GuestDescription offered;
    private RegionFiles regions;
    private Optional<String> access = Optional.empty();
    private long stateBytes;
    private boolean ran;
    private ActivateCommand activation;

    /** Opens a place for an image, which is known by its folder: the file is made later. */
    ImageTarget(Path file, RoomClaim room) throws GuestException {
        this.file = file;
        this.room = room;
        this.image = new UnpublishedImage(file, UUID.randomUUID().toString());
        try {
            ProcessMaps.FileId folder = ProcessMaps.fileId(file.getParent());
            this.identity = ImageKind.SCHEME + ":" + folder.device() + ":" + folder.inode() + "/"
                    + file.getFileName();
        } catch (IOException e) {
            throw failed("cannot look at the folder of " + file, e);
        }
    }

    @Override
    public void requireFits(GuestDescription guest) throws GuestException {
        try {
            requireAnotherFile(guest);
            long needed = guest.dataBytes() + guest.dataBytes() / 10;
            RoomClaim.Usable usable = room.take(Files.getFileStore(file.getParent()), needed);
            if (needed > usable.bytes()) {
                throw new GuestException(ErrorCode.NO_ROOM, "the image needs " + needed
                        + " bytes (10 % among them) at " + file + ", and "
                        + usable.bytes() + " are free" + usable.words(),
                        Files.exists(file) ? "free space, name another folder, or delete the"
                        + " older image: it stays until this one is complete"
                        : "free space or name another folder");
            }
        } catch (GuestException e) {
            throw e;
        } catch (IOException e) {
            throw failed("cannot make the image " + file, e);
        }
    }

    @Override
    public PageStore prepare(GuestDescription guest) throws GuestException {
        requireFits(guest);
        try {
            image.create(guest.regions().totalBytes());
            offered = guest;
            regions = MemoryImageFiles.map(image.part(), guest.regions(), true);
            access = Optional.of(regions.access().label());
            return regions;
        } catch (IOException e) {
            discardOrThrow();
            throw failed("cannot make the image " + file, e);
        }
    }

    @Override
    public void proved(ChecksumTable readBack) {
        digests = ImageDigests.of(readBack);
    }

    @Override
    public void loadState(byte[] state) throws GuestException {
        try {
            stateBytes = state.length;
            image.complete(state, table());
        } catch (IOException e) {
            throw failed("cannot write beside the image " + file, e);
        }
    }

    private ImageTable table() {
        return new ImageTable(image.birth(), offered, stateBytes, digests);
    }

    /** An image does not run: it gets its name, and is activated after the move. */
    @Override
    public void resume() throws GuestException {
        try {
            image.publish();
            ran = true;
        } catch (IOException e) {
            throw failed("cannot give the image " + image.part() + " its name", e)
                    .provablyNeverRan();
        }
    }

    @Override
    public boolean activated(String command, boolean stop) throws GuestException {
        if (activation == null) {
            if (stop) {
                throw ActivateCommand.failed(ErrorCode.CANCELLED,
                        "the command of --activate was not run", file);
            }
            activation = ActivateCommand.start(command, file, table(), ran);
        }
        return activation.poll(stop);
    }

    @Override
    public Optional<String> memoryAccess() {
        return access;
    }

    @Override
    public void discardOrThrow() {
        close();
        if (offered != null) {
            image.delete();
            offered = null;
        }
    }

    @Override
    public Optional<String> ended() {
        return Optional.empty();
    }

    @Override
    public String identity() {
        return identity;
    }

    @Override
    public Map<String, String> recoveryAddress() {
        return new AbandonedImage(image).address();
    }

    @Override
    public void close() {
        if (activation != null) {
            activation.close();
        }
        if (regions != null) {
            regions.close();
            regions = null;
        }
    }

    /** To write into what this guest, or another, has as memory would destroy it. */
    private void requireAnotherFile(GuestDescription guest) throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        Map<String, String> ours = new HashMap<>();
        HostFiles.put(ours, ImageKind.SCHEME, ProcessMaps.fileId(file));
        if (HostFiles.shared(ours, guest.attributes()) != null) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, file
                    + " is the very file that the guest has its memory in",
                    "name another file for the image");
        }
        List<Long> others = ProcessMaps.otherWriters(ProcessMaps.fileId(file),
                List.of(ProcessHandle.current().pid()));
        if (!others.isEmpty()) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, file + " is memory of process "
                    + others.getFirst() + ", which would be destroyed",
                    "name another file for the image, or end that process");
        }
    }

    private static GuestException failed(String what, IOException why) {
        return new GuestException(ErrorCode.HOST_FAILED, what + ": " + why.getMessage(),
                "look at the file system");
    }
}
