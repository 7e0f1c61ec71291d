package io.pageferry.core.incoming.session;

import io.pageferry.core.link.Message;
import java.io.ByteArrayOutputStream;
import java.util.zip.CRC32C;

/** Collects the device state; grows by what arrived, never by what a peer announced. */
public final class StateBuffer {
    /** Longest device state that is taken. */
    public static final long MAX_STATE_BYTES = 64L << 20;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    /**
     * Takes a chunk.
     *
     * @param chunk to append
     * @return what is wrong with it, or null
     */
    public String add(Message.StateChunk chunk) {
        if (chunk.offset() != bytes.size()) {
            return "device state at " + chunk.offset() + ", expected " + bytes.size();
        }
        if (bytes.size() + (long) chunk.bytes().length > MAX_STATE_BYTES) {
            return "device state is larger than " + MAX_STATE_BYTES + " bytes";
        }
        bytes.writeBytes(chunk.bytes());
        return null;
    }

    /**
     * Compares the whole with what was announced.
     *
     * @param sum what was announced
     * @return what is wrong with it, or null
     */
    public String check(Message.StateSum sum) {
        if (bytes.size() != sum.length()) {
            return "device state of " + bytes.size() + " bytes, announced " + sum.length();
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes.toByteArray());
        return crc.getValue() == sum.crc32c() ? null : "device state is damaged";
    }

    /** {@return the whole} */
    public byte[] toByteArray() {
        return bytes.toByteArray();
    }
}
