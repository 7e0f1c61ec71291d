package io.pageferry.agent.image;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.MappedRegions;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.linux.SharedMemory;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.MemoryImage;
import io.pageferry.core.memory.Region;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An image in a file: regions end to end, the first at offset 0. Beside it, once it is complete,
 * {@code FILE.state} holds the device state and {@code FILE.table} the region table as JSON.
 */
final class ImageTarget implements TargetGuest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private GuestDescription offered;
    private MappedRegions regions;

    ImageTarget(Path file) {
        this.file = file;
    }

    @Override
    public MemoryImage prepare(GuestDescription guest) throws GuestException {
        long size = guest.regions().totalBytes();
        try {
            long usable = Files.getFileStore(file.getParent()).getUsableSpace();
            long needed = guest.dataBytes() + guest.dataBytes() / 10;
            if (needed > usable + allocated()) {
                throw new GuestException(ErrorCode.NO_ROOM, "the image needs " + needed
                        + " bytes (10 % among them) at " + file + ", and " + usable
                        + " are free", "free space or name another folder");
            }
            try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
                // What an older image left must not shine through where nothing is sent.
                access.setLength(0);
                access.setLength(size);
            }
            regions = map(guest);
            offered = guest;
            return regions;
        } catch (IOException refused) {
            if (refused instanceof GuestException known) {
                throw known;
            }
            throw failed("cannot make the image " + file, refused);
        }
    }

    @Override
    public void loadState(byte[] state) throws GuestException {
        try {
            write(ImageFiles.state(file), state);
            write(ImageFiles.table(file), JSON.writerWithDefaultPrettyPrinter()
                    .writeValueAsBytes(table(state.length)));
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
        } catch (IOException full) {
            throw failed("cannot write beside the image " + file, full);
        }
    }

    @Override
    public void resume() {
        // An image does not run: whoever activates it does so after the move.
    }

    @Override
    public void discard() {
        close();
        if (offered != null) {
            ImageFiles.delete(file);
            offered = null;
        }
    }

    @Override
    public Optional<String> ended() {
        return Optional.empty();
    }

    @Override
    public String identity() {
        return ImageKind.SCHEME + ":" + file;
    }

    @Override
    public Map<String, String> reach() {
        return Map.of(ImageFiles.REACH, file.toString());
    }

    @Override
    public void close() {
        if (regions != null) {
            regions.close();
            regions = null;
        }
    }

    private MappedRegions map(GuestDescription guest) throws IOException {
        List<MappedRegions.Part> parts = new ArrayList<>();
        long offset = 0;
        for (Region region : guest.regions().regions()) {
            parts.add(new MappedRegions.Part(SharedMemory.openReadWrite(file), offset));
            offset += region.size();
        }
        return new MappedRegions(guest.regions(), parts);
    }

    private long allocated() throws IOException {
        return Files.exists(file) ? Files.size(file) : 0;
    }

    private ObjectNode table(long stateBytes) {
        ObjectNode table = JSON.createObjectNode();
        table.put("schema", "pageferry.image/1");
        table.put("kind", offered.kind()).put("name", offered.name());
        table.put("stateBytes", stateBytes);
        ArrayNode list = table.putArray("regions");
        long offset = 0;
        for (Region region : offered.regions().regions()) {
            list.addObject().put("name", region.name()).put("fileOffset", offset)
                    .put("size", region.size()).put("guestBase", region.guestBase())
                    .put("granule", region.granule());
            offset += region.size();
        }
        ObjectNode attributes = table.putObject("attributes");
        offered.attributes().forEach(attributes::put);
        return table;
    }

    private static void write(Path path, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE,
                StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            channel.write(ByteBuffer.wrap(bytes));
            channel.force(true);
        }
    }

    private static GuestException failed(String what, IOException why) {
        return new GuestException(ErrorCode.HOST_FAILED, what + ": " + why.getMessage(),
                "look at the file system");
    }
}
