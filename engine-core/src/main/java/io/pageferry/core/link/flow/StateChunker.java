package io.pageferry.core.link.flow;

import io.pageferry.core.link.Message;
import io.pageferry.core.precopy.RateLimiter;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Cuts the device state into chunks and sends them as they come, as far as the bandwidth allows;
 * what waits then is held here, and goes out by {@link #pump}. One thread.
 */
public final class StateChunker extends OutputStream {
    /** Longest device state that is carried: QEMU with a VGA and 255 vCPUs stays below 64 MiB. */
    public static final long MAX_STATE_BYTES = 64L << 20;

    /** What a chunk has on the wire beside its bytes: frame header and fields. */
    static final int HEADERS = 56;

    private final Outbox outbox;
    private final RateLimiter limiter;
    private final long epoch;
    private final CRC32C crc = new CRC32C();
    private final ArrayDeque<Message.StateChunk> waiting = new ArrayDeque<>();
    private final byte[] chunk;
    private int used;
    private long cut;

    /**
     * Begins a state.
     *
     * @param outbox takes the chunks; stays the caller's
     * @param limiter  of the link, in the round in which the guest is paused; stays the caller's
     * @param epoch  of this attempt
     */
    public StateChunker(Outbox outbox, RateLimiter limiter, long epoch) {
        this.outbox = outbox;
        this.limiter = limiter;
        this.epoch = epoch;
        this.chunk = new byte[Math.min(Message.MAX_CHUNK_BYTES, limiter.mostAtOnce())];
    }

    @Override
    public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
        if (cut + used + length > MAX_STATE_BYTES) {
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
     * Ends the state.
     *
     * @return its length and checksum; of its chunks some may still wait
     */
    public Message.StateSum finish() {
        if (used > 0) {
            flushChunk();
        }
        return new Message.StateSum(cut, crc.getValue());
    }

    /**
     * Sends what may be sent now.
     *
     * @return how many chunks that were
     */
    public int pump() {
        int taken = 0;
        while (!waiting.isEmpty() && limiter.isFree() && (!limiter.isBounded()
                || outbox.isEmpty())) {
            Message.StateChunk next = waiting.poll();
            outbox.send(next);
            limiter.took(next.bytes().length + HEADERS);
            taken++;
        }
        return taken;
    }

    /** {@return whether no chunk waits} */
    public boolean isSent() {
        return waiting.isEmpty();
    }

    private void flushChunk() {
        crc.update(chunk, 0, used);
        waiting.add(new Message.StateChunk(epoch, cut, Arrays.copyOf(chunk, used)));
        cut += used;
        used = 0;
        pump();
    }
}
