package io.pageferry.agent.trust;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.linux.PrivateFiles;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.transport.netty.tls.TlsIdentity;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.cert.X509Certificate;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** What a CA issued: a line of JSON for each certificate, in a file beside it. Any thread. */
final class IssuedList {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int HEX = 16;

    private final Path file;

    /**
     * One certificate.
     *
     * @param serial   that the CA gave it
     * @param host     to whom
     * @param names    that are in it
     * @param identity by which a peer with it is known
     * @param until    the end of its life
     */
    record Entry(BigInteger serial, String host, HostNames names, String identity,
            Instant until) {
        static Entry of(String host, HostNames names, X509Certificate made) {
            return new Entry(made.getSerialNumber(), host, names, TlsIdentity.of(made).text(),
                    made.getNotAfter().toInstant());
        }
    }

    IssuedList(Path file) {
        this.file = file;
    }

    /** Adds a line, in one write: another process may add one too. */
    void add(Entry entry) throws IOException {
        ObjectNode line = JSON.createObjectNode().put("serial", entry.serial().toString(HEX))
                .put("host", entry.host()).put("identity", entry.identity())
                .put("until", entry.until().toString());
        put(line, entry.names());
        PrivateFiles.createIfMissing(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.APPEND)) {
            channel.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
            channel.force(true);
        }
    }

    static void put(ObjectNode object, HostNames names) {
        names.dns().forEach(object.putArray("dns")::add);
        names.addresses().forEach(object.putArray("ip")::add);
        names.uris().forEach(object.putArray("uri")::add);
    }

    static HostNames names(JsonNode object) {
        return new HostNames(texts(object.path("dns")), texts(object.path("ip")),
                texts(object.path("uri")));
    }

    private static List<String> texts(JsonNode array) {
        return array.valueStream().map(JsonNode::asText).toList();
    }

    /** {@return all of them, the oldest first} */
    List<Entry> all() throws IOException {
        List<Entry> all = new ArrayList<>();
        int number = 0;
        for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
            number++;
            try {
                JsonNode read = JSON.readTree(line);
                all.add(new Entry(new BigInteger(read.path("serial").asText(), HEX),
                        read.path("host").asText(), names(read),
                        read.path("identity").asText(),
                        Instant.parse(read.path("until").asText())));
            } catch (JsonProcessingException | IllegalArgumentException | DateTimeException e) {
                throw new GuestException(ErrorCode.HOST_FAILED, file + ":" + number
                        + " is damaged: it does not say what was issued", "remove that line: what"
                        + " it named can then be revoked by a new CA alone");
            }
        }
        return all;
    }
}
