package io.pageferry.transport.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.Message;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** Version 1 is what these bytes are: a change of one is another protocol. */
class GoldenTest {
    private static Map<String, String> golden() throws IOException {
        Map<String, String> lines = new LinkedHashMap<>();
        try (InputStream in = GoldenTest.class.getResourceAsStream("/golden/v1.hex")) {
            String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
            text.lines().filter(line -> !line.startsWith("#")).forEach(line -> lines.put(
                    line.substring(0, line.indexOf(' ')), line.substring(line.indexOf(' ') + 1)));
        }
        return lines;
    }

    @Test
    void everyMessageHasItsBytes() throws Exception {
        Map<String, String> golden = golden();
        Map<MessageType, Message> samples = Samples.messages();
        for (MessageType type : MessageType.values()) {
            if (type == MessageType.BATCH) {
                continue;
            }
            byte[] frame = Samples.frame(samples.get(type));
            assertEquals(golden.get(type.name()), HexFormat.of().formatHex(frame), type.name());
            assertTrue(Samples.same(samples.get(type), Samples.receive(frame)), type.name());
        }
        assertEquals(MessageType.values().length + 1, golden.size());
    }

    @Test
    void aBatchHasItsBytes() throws Exception {
        byte[] frame = BatchFrames.sample().seal();
        String hex = HexFormat.of().formatHex(frame);
        // The raw page in the middle is a pattern: its checksum stands for it.
        CRC32C crc = new CRC32C();
        crc.update(frame);
        String pinned = hex.substring(0, 2 * (WireLimits.FRAME_HEADER_BYTES
                + PageBatchWriter.directoryEnd(BatchFrames.sample().batch))) + "…"
                + hex.substring(hex.length() - 2 * 4) + "…" + Long.toHexString(crc.getValue());
        assertEquals(golden().get("BATCH"), pinned.replace("…", "+"));
    }

    @Test
    void thePreambleHasItsBytes() throws Exception {
        byte[] bytes = Preamble.OURS.encode().array();
        assertEquals(golden().get("PREAMBLE"), HexFormat.of().formatHex(bytes));
        assertEquals(Preamble.OURS, Preamble.decode(Samples.little(bytes)));
    }

    @Test
    void theChecksumIsTheOneOfTheBook() {
        CRC32C crc = new CRC32C();
        crc.update("123456789".getBytes(StandardCharsets.US_ASCII));
        assertEquals(0xe3069283L, crc.getValue());
    }

    @Test
    void secondFramesCountOn() throws Exception {
        FrameHeader.Sealer sealer = new FrameHeader.Sealer();
        FrameVerifier verifier = new FrameVerifier();
        for (int i = 1; i <= 3; i++) {
            byte[] frame = MessageCodec.encode(new Message.RoundVerified(i));
            sealer.seal(Samples.little(frame), 0);
            verifier.header(Samples.little(frame), 0);
            verifier.body(Samples.little(frame), WireLimits.FRAME_HEADER_BYTES);
            assertArrayEquals(new byte[] {(byte) i, 0, 0, 0, 0, 0, 0, 0},
                    java.util.Arrays.copyOfRange(frame, 8, 16));
        }
    }
}
