package io.pageferry.agent.capture.frame;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Blocks written by hand from the published format. */
class BlocksTest {
    private static boolean decode(String hex, byte[] into) {
        return Blocks.lz4(ByteBuffer.wrap(HexFormat.of().parseHex(hex)), into);
    }

    @Test
    void literalsAndAnOverlappingMatch() {
        byte[] out = new byte[4 + 20 + 2];
        // Four literals, a match of 15 + 1 + 4 bytes two back, two literals.
        assertTrue(decode("4f" + "01020304" + "0200" + "01" + "20" + "0506", out));
        assertArrayEquals(HexFormat.of().parseHex("01020304" + "0304".repeat(10) + "0506"), out);
    }

    @Test
    void aLongRunOfLiterals() {
        byte[] out = new byte[15 + 255 + 3];
        assertTrue(decode("f0ff03" + "07".repeat(out.length), out));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "40", "4001020304", "f0", "f0ff", "10010000", "100100", "1f01010000",
        "1001020004", "1f0101", "800102030405060708", "f0ffffffffff", "1001010050"})
    void whatDoesNotDecodeToItIsRefused(String hex) {
        assertFalse(decode(hex, new byte[7]));
    }

    /** A frame with one block as it is, written by hand: magic, single segment of 7 bytes. */
    @Test
    void aFrameOfZstdHoldsWhatItSays() {
        String frame = "28b52ffd" + "20" + "07" + "390000" + "01020304050607";
        byte[] out = new byte[7];
        assertTrue(Blocks.zstd(ByteBuffer.wrap(HexFormat.of().parseHex(frame)), out));
        assertArrayEquals(HexFormat.of().parseHex("01020304050607"), out);
        for (String wrong : new String[] {"", "28b52ffd", frame.substring(2),
                frame.substring(0, frame.length() - 2)}) {
            assertFalse(Blocks.zstd(ByteBuffer.wrap(HexFormat.of().parseHex(wrong)), out), wrong);
        }
        for (int length : new int[] {0, 6, 8}) {
            assertFalse(Blocks.zstd(ByteBuffer.wrap(HexFormat.of().parseHex(frame)),
                    new byte[length]));
        }
    }
}
