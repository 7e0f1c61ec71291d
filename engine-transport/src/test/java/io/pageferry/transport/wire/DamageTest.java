package io.pageferry.transport.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Frames that were damaged on their way, and peers that do not keep to the limits. */
class DamageTest {
    static byte[] resealed(byte[] frame) {
        FrameHeader.begin(Samples.little(frame), 0, Samples.little(frame).getInt(0),
                frame.length - WireLimits.FRAME_HEADER_BYTES);
        new FrameHeader.Sealer().seal(Samples.little(frame), 0);
        return frame;
    }

    @Test
    void everyFlippedBitOfAMessageIsRefused() {
        Samples.messages().forEach((type, message) -> {
            byte[] frame = Samples.frame(message);
            for (int bit = 0; bit < 8 * frame.length; bit++) {
                frame[bit / 8] ^= (byte) (1 << bit % 8);
                WireException e =
                        assertThrows(WireException.class, () -> Samples.receive(frame));
                assertEquals(ErrorCode.CORRUPT_FRAME, e.code(), type + " bit " + bit);
                frame[bit / 8] ^= (byte) (1 << bit % 8);
            }
        });
    }

    /** What the payload's bits do is seen where the pages are read back. */
    @Test
    void everyFlippedBitOfABatchButThoseOfItsPayloadIsRefused() throws Exception {
        BatchFrames sample = BatchFrames.sample();
        byte[] frame = sample.seal();
        BatchFrames into = BatchFrames.receive(frame, 1);
        int payload = frame.length - sample.batch.payloadBytes();
        for (int bit = 8 * payload; bit < 8 * frame.length; bit++) {
            frame[bit / 8] ^= (byte) (1 << bit % 8);
            PageBatch got = BatchFrames.receive(frame, 1, into).batch;
            for (int i = 0; i < got.count(); i++) {
                assertEquals(sample.batch.descriptorAt(i), got.descriptorAt(i), "bit " + bit);
                assertEquals(sample.batch.checksumAt(i), got.checksumAt(i), "bit " + bit);
            }
            frame[bit / 8] ^= (byte) (1 << bit % 8);
        }
        for (int bit = 0; bit < 8 * payload; bit++) {
            frame[bit / 8] ^= (byte) (1 << bit % 8);
            WireException e =
                    assertThrows(WireException.class, () -> BatchFrames.receive(frame, 1, into));
            assertEquals(ErrorCode.CORRUPT_FRAME, e.code(), "bit " + bit);
            frame[bit / 8] ^= (byte) (1 << bit % 8);
        }
    }

    @Test
    void everyFlippedBitOfAPreambleIsRefused() {
        byte[] bytes = Preamble.OURS.encode().array();
        for (int bit = 0; bit < 8 * bytes.length; bit++) {
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            assertThrows(WireException.class, () -> Preamble.decode(Samples.little(bytes)));
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
        }
    }

    @Test
    void aForgedBodyIsRefusedOrMeansExactlyItself() throws Exception {
        Set<MessageType> accepted = new HashSet<>();
        for (Map.Entry<MessageType, Message> sample : Samples.messages().entrySet()) {
            byte[] good = Samples.frame(sample.getValue());
            for (int bit = 8 * WireLimits.FRAME_HEADER_BYTES; bit < 8 * good.length; bit++) {
                byte[] frame = good.clone();
                frame[bit / 8] ^= (byte) (1 << bit % 8);
                try {
                    Message message = Samples.receive(resealed(frame));
                    accepted.add(sample.getKey());
                    if (message instanceof Message.Cancel || message instanceof Message.Failure) {
                        // A code that we do not know is read as one that we know.
                        continue;
                    }
                    assertArrayEquals(frame, Samples.frame(message), sample + " bit " + bit);
                } catch (WireException e) {
                    assertEquals(ErrorCode.PROTOCOL_VIOLATION, e.code());
                }
            }
        }
        assertTrue(accepted.size() > 20, "the test forged nothing that passed: " + accepted);
    }

    @Test
    void everyShorterOrLongerBodyIsRefused() {
        Samples.messages().forEach((type, message) -> {
            byte[] frame = Samples.frame(message);
            int empty = WireLimits.FRAME_HEADER_BYTES;
            for (int length = empty; length <= frame.length + 9; length++) {
                byte[] other = Arrays.copyOf(frame, length);
                if (length != frame.length) {
                    WireException e = assertThrows(WireException.class,
                            () -> Samples.receive(resealed(other)), type.name());
                    assertEquals(ErrorCode.PROTOCOL_VIOLATION, e.code());
                }
            }
        });
    }

    @Test
    void lengthsBeyondTheirTypeAreRefusedBeforeTheBody() {
        for (MessageType type : MessageType.values()) {
            int[] wrong = {type.longest() + 1, type.shortest() - 1, -1, Integer.MIN_VALUE};
            for (int length : wrong) {
                WireException e = assertThrows(WireException.class,
                        () -> header(type.number(), length, 1));
                assertEquals("frame body length", e.field());
            }
        }
    }

    private static FrameVerifier header(int type, int length, long number) throws WireException {
        byte[] header = new byte[WireLimits.FRAME_HEADER_BYTES];
        FrameHeader.Sealer sealer = new FrameHeader.Sealer();
        for (long i = 0; i < number; i++) {
            sealer.seal(Samples.little(header), 0);
        }
        // Sealed once more by hand, with a length that no body stands behind.
        FrameHeader.begin(Samples.little(header), 0, type, length);
        int crc = FrameHeader.crcOf(new java.util.zip.CRC32C(), Samples.little(header), 0, 28);
        Samples.little(header).putInt(28, crc);
        FrameVerifier verifier = new FrameVerifier();
        verifier.header(Samples.little(header), 0);
        return verifier;
    }

    @Test
    void typesAndNumbersAreChecked() throws Exception {
        assertEquals(null, header(FrameHeader.OPTIONAL | 0x77, 5, 1).type());
        assertEquals("frame type",
                assertThrows(WireException.class, () -> header(0, 0, 1)).field());
        assertEquals("frame type",
                assertThrows(WireException.class, () -> header(0x77, 0, 1)).field());
        assertEquals("frame number",
                assertThrows(WireException.class, () -> header(0x14, 8, 2)).field());
        assertEquals("frame number",
                assertThrows(WireException.class, () -> header(0x14, 8, 0)).field());
        assertEquals("frame body length", assertThrows(WireException.class,
                () -> header(FrameHeader.OPTIONAL | 1, Integer.MAX_VALUE, 1)).field());
    }

    /** A payload that is longer than a slot would be read over its end. */
    @Test
    void whatABatchsChecksumCoversIsBounded() {
        int[][] wrong = {{40, 4136}, {56, 40}, {57, 4153}, {56, 56 + 524_289}, {-1, 4096},
                {40 + 16 * 1025, 40 + 16 * 1025}};
        for (int[] lengths : wrong) {
            byte[] header = new byte[WireLimits.FRAME_HEADER_BYTES];
            new FrameHeader.Sealer().seal(Samples.little(header), 0);
            FrameHeader.begin(Samples.little(header), 0, MessageType.BATCH.number(), lengths[1],
                    lengths[0]);
            Samples.little(header).putInt(28, FrameHeader.crcOf(new java.util.zip.CRC32C(),
                    Samples.little(header), 0, 28));
            String field = assertThrows(WireException.class,
                    () -> new FrameVerifier().header(Samples.little(header), 0)).field();
            assertTrue(field.equals("frame summed length") || field.equals("frame body length"),
                    Arrays.toString(lengths) + ": " + field);
        }
    }

    @Test
    void versionsAreAgreedOnOrBothNamed() throws Exception {
        assertEquals(3, new Preamble(1, 3).agree(new Preamble(2, 5)));
        assertEquals(2, new Preamble(2, 2).agree(new Preamble(1, 9)));
        WireException e = assertThrows(WireException.class,
                () -> new Preamble(1, 1).agree(new Preamble(2, 3)));
        assertEquals(ErrorCode.VERSION_MISMATCH, e.code());
        assertTrue(e.getMessage().contains("versions 2 to 3")
                && e.getMessage().contains("version 1"), e.getMessage());
    }
}
