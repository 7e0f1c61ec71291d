package io.pageferry.agent.guest.image;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What stands in {@code FILE.table}: the layout of an image, and what its pages summed to. JSON,
 * schema {@value #SCHEMA}; docs/OPERATIONS.md gives its fields.
 *
 * @param birth      names this image among all that ever were at its path; may be empty
 * @param guest      what was moved; {@code dataBytes} is not kept and 0 when read
 * @param stateBytes of {@code FILE.state}
 * @param digests    null where the migration verified nothing
 */
record ImageTable(String birth, GuestDescription guest, long stateBytes, ImageDigests digests) {
    static final String SCHEMA = "pageferry.image/1";

    /** A table with every block and attribute that there may be is smaller. */
    private static final long MOST_BYTES = 8L << 20;
    private static final int HEX = 16;
    private static final ObjectMapper JSON = new ObjectMapper();

    byte[] toBytes() throws IOException {
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json());
    }

    ObjectNode json() {
        ObjectNode table = JSON.createObjectNode();
        table.put("schema", SCHEMA).put("birth", birth);
        table.put("kind", guest.kind()).put("name", guest.name());
        table.put("stateBytes", stateBytes);
        ArrayNode list = table.putArray("regions");
        long offset = 0;
        for (Region region : guest.regions().regions()) {
            list.addObject().put("name", region.name()).put("fileOffset", offset)
                    .put("size", region.size()).put("guestBase", region.guestBase())
                    .put("granule", region.granule());
            offset += region.size();
        }
        if (digests != null) {
            table.put("digest", hex(digests.digest())).put("blockPages", digests.blockPages());
            ArrayNode blocks = table.putArray("blockDigests");
            digests.blocks().forEach(block -> blocks.add(hex(block)));
        }
        ObjectNode attributes = table.putObject("attributes");
        guest.attributes().forEach(attributes::put);
        return table;
    }

    /**
     * Reads what stands beside an image.
     *
     * @throws IOException when it is not there, or is no such table; the message names what and why
     */
    static ImageTable beside(Path image) throws IOException {
        Path path = MemoryImageFiles.table(image);
        try {
            if (Files.size(path) > MOST_BYTES) {
                throw new IOException(path + " is no table of an image: it is too long");
            }
            return parse(path, Files.readAllBytes(path));
        } catch (NoSuchFileException e) {
            throw new IOException("there is no complete image: " + path + " is missing", e);
        }
    }

    /** Reads the table; the path is for messages alone. */
    static ImageTable parse(Path path, byte[] bytes) throws IOException {
        try {
            JsonNode json = tree(bytes);
            if (!json.path("schema").asText().equals(SCHEMA)) {
                throw new IOException(path + " is no table of an image: its schema is not "
                        + SCHEMA);
            }
            return parse(json);
        } catch (JacksonException | IllegalArgumentException | ArithmeticException e) {
            throw new IOException(path + " is no table of an image: "
                    + e.getMessage().lines().findFirst().orElse("it is damaged"), e);
        }
    }

    /** The token of a complete image; empty where there is no table, or half of one. */
    static Optional<String> birthBeside(Path image) throws IOException {
        try {
            JsonNode json = tree(Files.readAllBytes(MemoryImageFiles.table(image)));
            return json.isObject() ? Optional.of(json.path("birth").asText()) : Optional.empty();
        } catch (NoSuchFileException | JacksonException e) {
            return Optional.empty();
        }
    }

    /** As text: of bytes that are no UTF-8 the parser would guess another encoding. */
    private static JsonNode tree(byte[] bytes) throws JacksonException {
        return JSON.readTree(new String(bytes, StandardCharsets.UTF_8));
    }

    private static ImageTable parse(JsonNode json) {
        List<Region> regions = new ArrayList<>();
        for (JsonNode one : json.path("regions")) {
            regions.add(new Region(regions.size(), one.path("name").asText(),
                    one.path("guestBase").asLong(), one.path("size").asLong(),
                    one.path("granule").asInt(PageGeometry.PAGE_SIZE)));
        }
        Map<String, String> attributes = new TreeMap<>();
        json.path("attributes").properties()
                .forEach(entry -> attributes.put(entry.getKey(), entry.getValue().asText()));
        RegionTable table = new RegionTable(regions);
        long stateBytes = json.path("stateBytes").asLong();
        if (stateBytes < 0) {
            throw new IllegalArgumentException("device state of " + stateBytes + " bytes");
        }
        return new ImageTable(json.path("birth").asText(), new GuestDescription(
                json.path("kind").asText(), json.path("name").asText(), table, 0, attributes),
                stateBytes, digests(json, table.pageCount()));
    }

    private static ImageDigests digests(JsonNode json, long pages) {
        if (!json.has("digest")) {
            return null;
        }
        long blockPages = json.path("blockPages").asLong();
        List<Long> blocks = new ArrayList<>();
        json.path("blockDigests").forEach(block ->
                blocks.add(Long.parseUnsignedLong(block.asText(), HEX)));
        if (blockPages < 1 || blocks.size() != Math.ceilDiv(pages, blockPages)) {
            throw new IllegalArgumentException(blocks.size() + " blocks of " + blockPages
                    + " pages are not the " + pages + " of its regions");
        }
        long digest = Long.parseUnsignedLong(json.path("digest").asText(), HEX);
        if (blocks.stream().mapToLong(Long::longValue).sum() != digest) {
            throw new IllegalArgumentException("its blocks do not add up to its digest");
        }
        return new ImageDigests(digest, blockPages, blocks);
    }

    static String hex(long digest) {
        return String.format("%016x", digest);
    }
}
