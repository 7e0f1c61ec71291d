package io.pageferry.transport.wire;

import io.pageferry.core.link.ErrorCode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The first 16 bytes of each direction of a connection; docs/PROTOCOL.md §5.
 *
 * @param lowest  lowest version that the sender speaks, 1 … 65535
 * @param highest highest version that the sender speaks, lowest … 65535
 */
public record Preamble(int lowest, int highest) {
    /** Its length. */
    public static final int BYTES = 16;

    /** What this side speaks. */
    public static final Preamble OURS =
            new Preamble(WireLimits.LOWEST_VERSION, WireLimits.HIGHEST_VERSION);

    /** The first byte, by which a peer that does not speak TLS is known. */
    public static final byte FIRST = (byte) 0x89;

    /** Names the fault of a peer that speaks TLS where nothing but the preamble may come. */
    public static final String TLS = "TLS";

    // A record of TLS begins with its type (RFC 8446 §5.1): an alert or a handshake.
    private static final byte ALERT = 0x15;
    private static final byte HANDSHAKE = 0x16;

    // A byte that is not ASCII, both line ends and DOS's end of file, after PNG (RFC 2083 §3.1).
    private static final byte[] MAGIC = {FIRST, 'P', 'G', 'F', '\r', '\n', 0x1a, '\n'};
    private static final int CHECKED = 12;

    /**
     * Writes the preamble.
     *
     * @return a fresh buffer of {@link #BYTES}, ready to be read
     */
    public ByteBuffer encode() {
        ByteBuffer buffer = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.put(MAGIC).putShort((short) lowest).putShort((short) highest);
        return buffer.putInt(crcOf(buffer)).flip();
    }

    /**
     * Checks the beginning of a preamble, so that a stranger is known by its first byte.
     *
     * @param buffer bytes from index 0
     * @param length how many have arrived, 0 … {@link #BYTES}
     * @throws WireException when they are not Pageferry's
     */
    public static void checkMagic(ByteBuffer buffer, int length) throws WireException {
        if (length > 0 && (buffer.get(0) == ALERT || buffer.get(0) == HANDSHAKE)) {
            throw WireException.violation(TLS, "the peer speaks it and this side does not: give"
                    + " --tls-cert, --tls-key and --tls-ca to both sides");
        }
        for (int i = 0; i < Math.min(length, MAGIC.length); i++) {
            if (buffer.get(i) != MAGIC[i]) {
                throw WireException.violation("preamble magic",
                        String.format("byte %d is 0x%02x, so the peer is not Pageferry",
                                i, buffer.get(i)));
            }
        }
    }

    /**
     * Reads a preamble.
     *
     * @param buffer little-endian, {@link #BYTES} from index 0
     * @return the preamble
     * @throws WireException when it does not hold
     */
    public static Preamble decode(ByteBuffer buffer) throws WireException {
        checkMagic(buffer, BYTES);
        int expected = buffer.getInt(CHECKED);
        int found = crcOf(buffer);
        if (expected != found) {
            throw WireException.corrupt("preamble checksum", expected, found);
        }
        int lowest = Short.toUnsignedInt(buffer.getShort(8));
        int highest = Short.toUnsignedInt(buffer.getShort(10));
        if (lowest == 0 || highest < lowest) {
            throw WireException.violation("preamble versions", lowest + " to " + highest);
        }
        return new Preamble(lowest, highest);
    }

    /**
     * Agrees on a version.
     *
     * @param peer what the peer speaks
     * @return the highest version that both speak
     * @throws WireException {@link ErrorCode#VERSION_MISMATCH} when there is none
     */
    public int agree(Preamble peer) throws WireException {
        int version = Math.min(highest, peer.highest);
        if (version < Math.max(lowest, peer.lowest)) {
            throw new WireException(ErrorCode.VERSION_MISMATCH, "preamble versions",
                    "the peer speaks " + peer + ", we speak " + this);
        }
        return version;
    }

    @Override
    public String toString() {
        return lowest == highest ? "version " + lowest : "versions " + lowest + " to " + highest;
    }

    private static int crcOf(ByteBuffer buffer) {
        CRC32C crc = new CRC32C();
        crc.update(buffer.duplicate().limit(CHECKED).position(0));
        return (int) crc.getValue();
    }
}
