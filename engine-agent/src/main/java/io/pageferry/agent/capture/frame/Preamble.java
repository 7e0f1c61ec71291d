package io.pageferry.agent.capture.frame;

import java.nio.ByteBuffer;

/**
 * The first bytes of a direction; PROTOCOL.md §5.
 *
 * @param lowest  version
 * @param highest version
 */
public record Preamble(int lowest, int highest) {
    static final int BYTES = 16;

    private static final int[] MAGIC = {0x89, 'P', 'G', 'F', '\r', '\n', 0x1A, '\n'};

    /** Checks as many octets of the magic as are there: a wrong one shows at once. */
    static void checkMagic(ByteBuffer bytes, int count) throws Breach {
        for (int i = 0; i < Math.min(count, MAGIC.length); i++) {
            int octet = Byte.toUnsignedInt(bytes.get(i));
            Breach.unless(octet == MAGIC[i], Rule.PREAMBLE_MAGIC, String.format(
                    "octet %d is %02x, not %02x: this is not Pageferry", i, octet, MAGIC[i]));
        }
    }

    static Preamble read(ByteBuffer bytes) throws Breach {
        checkMagic(bytes, BYTES);
        Breach.unless(bytes.getInt(12) == Crc.of(bytes, 0, 12), Rule.PREAMBLE_CHECKSUM,
                "its checksum is not that of its bytes");
        int lowest = Short.toUnsignedInt(bytes.getShort(8));
        int highest = Short.toUnsignedInt(bytes.getShort(10));
        Breach.unless(lowest >= 1 && lowest <= highest, Rule.PREAMBLE_RANGE,
                "versions " + lowest + " to " + highest);
        return new Preamble(lowest, highest);
    }
}
