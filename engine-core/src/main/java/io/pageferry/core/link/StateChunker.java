package io.pageferry.core.link;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** Cuts the device state into chunks and sends them as they come. One thread. */
public final class StateChunker extends OutputStream {
    /** Longest device state that is carried: QEMU with a VGA and 255 vCPUs stays below 64 MiB. */
    public static final long MAX_STATE_BYTES = 64L << 20;

    private final Outbox outbox;
    private final long epoch;
    private final CRC32C crc = new CRC32C();
    private final byte[] chunk = new byte[Message.MAX_CHUNK_BYTES];
    private int used;
    private long sent;

    /**
     * Begins a state.
     *
     * @param outbox takes the chunks; stays the caller's
     * @param epoch  of this attempt
     */
    public StateChunker(Outbox outbox, long epoch) {
        this.outbox = outbox;
        this.epoch = epoch;
    }

    @Override
    public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
        if (sent + used + length > MAX_STATE_BYTES) {
            throw new IOException("device state is larger than " + MAX_STATE_BYTES + " bytes");
        }
        int at = from;
        int left = length;
        while (left > 0) {
            int part = Math.min(left, chunk.length - used);
            System.arraycopy(bytes, at, chunk, used, part);
            used += part;
            at += part;
            left -= part;
            if (used == chunk.length) {
                flushChunk();
            }
        }
    }

    /**
     * Sends the rest.
     *
     * @return what was sent in all
     */
    public Message.StateSum finish() {
        if (used > 0) {
            flushChunk();
        }
        return new Message.StateSum(sent, crc.getValue());
    }

    private void flushChunk() {
        crc.update(chunk, 0, used);
        outbox.send(new Message.StateChunk(epoch, sent, Arrays.copyOf(chunk, used)));
        sent += used;
        used = 0;
    }
}
