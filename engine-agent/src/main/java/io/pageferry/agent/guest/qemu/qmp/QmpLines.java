package io.pageferry.agent.guest.qemu.qmp;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Cuts what a monitor says into lines, and reads each. For one thread. */
final class QmpLines {
    /** query-qmp-schema, the longest reply known, has about 200 KB. */
    static final int LIMIT = 8 << 20;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path socket;
    private final QmpTransport.Handler handler;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream(4096);

    /** Makes one that hands each line over; the socket is for messages alone. */
    QmpLines(Path socket, QmpTransport.Handler handler) {
        this.socket = socket;
        this.handler = handler;
    }

    /** Takes what came next, all of it. */
    void take(ByteBuffer bytes) throws QmpException {
        while (bytes.hasRemaining()) {
            byte b = bytes.get();
            if (b == '\n') {
                handler.message(parse(line.toByteArray()));
                line.reset();
            } else if (line.size() >= LIMIT) {
                throw QmpException.of(Kind.PROTOCOL, "a line of more than " + LIMIT
                        + " bytes from " + socket + ": that is not QMP");
            } else {
                line.write(b);
            }
        }
    }

    private JsonNode parse(byte[] text) throws QmpException {
        try {
            // As text: of bytes that are no UTF-8 the parser would guess another encoding.
            return JSON.readTree(new String(text, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw QmpException.of(Kind.PROTOCOL, socket + " does not speak QMP: "
                    + e.getOriginalMessage());
        }
    }
}
