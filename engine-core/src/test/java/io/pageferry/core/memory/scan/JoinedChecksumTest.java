package io.pageferry.core.memory.scan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.core.memory.PageGeometry;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** Against the JDK's CRC32C over the same bytes in one piece. */
class JoinedChecksumTest {
    private static final int PAGE = PageGeometry.PAGE_SIZE;
    private static final long SEED = Long.getLong("pageferry.test.seed", System.nanoTime());

    private final JoinedChecksum joined = new JoinedChecksum();

    @Test
    void nothingIsZero() {
        assertEquals(0, joined.value());
        joined.append(ByteBuffer.allocate(1), 0, 0);
        assertEquals(0, joined.value());
    }

    @Test
    void theCheckValueOfTheCatalogue() {
        // CRC-32/ISCSI of "123456789".
        joined.append(ByteBuffer.wrap("1234".getBytes()), 0, 4);
        joined.append(ByteBuffer.wrap("56789".getBytes()), 0, 5);
        assertEquals(0xE3069283, joined.value());
    }

    @Test
    void piecesOfAnyLengthAreTheWhole() {
        System.out.println("-Dpageferry.test.seed=" + SEED);
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 300; round++) {
            byte[] bytes = new byte[random.nextInt(6 * PAGE)];
            random.nextBytes(bytes);
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            joined.reset();
            int at = 0;
            while (at < bytes.length) {
                at += append(random, bytes, buffer, at);
            }
            assertEquals(sum(bytes, 0, bytes.length), joined.value(), "round " + round);
        }
    }

    private int append(SplittableRandom random, byte[] bytes, ByteBuffer buffer, int at) {
        int left = bytes.length - at;
        if (left >= PAGE && random.nextBoolean()) {
            joined.appendPage(sum(bytes, at, PAGE));
            return PAGE;
        }
        int length = 1 + random.nextInt(left);
        if (random.nextBoolean()) {
            joined.append(buffer, at, length);
        } else {
            joined.append(sum(bytes, at, length), length);
        }
        return length;
    }

    private static int sum(byte[] bytes, int at, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, at, length);
        return (int) crc.getValue();
    }
}
