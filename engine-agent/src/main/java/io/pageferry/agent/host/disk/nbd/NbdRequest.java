package io.pageferry.agent.host.disk.nbd;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** A request that was sent and is not answered yet. Filled in by the thread that reads. */
final class NbdRequest {
    /** What a part of an export holds. */
    @FunctionalInterface
    interface Extents {
        /**
         * Takes the next part.
         *
         * @param bytes how long it is
         * @param zeros whether it reads as zeros
         */
        void next(long bytes, boolean zeros);
    }

    private static final int ZERO = 2;

    private final Command command;
    private final long offset;
    private final int length;
    private final CompletableFuture<Void> answered = new CompletableFuture<>();
    private final long since = System.nanoTime();
    /** Of a read: what came, by offset, each with its end. */
    private final Map<Long, Long> parts = new TreeMap<>();
    private long came;
    private int error;
    /** Where to put what is read; null once nobody waits for it. */
    private MemorySegment into;
    private Extents extents;
    private long told;

    /** What is asked for, as the protocol numbers it. */
    enum Command {
        /** Reads. */
        READ(0),
        /** Writes. */
        WRITE(1),
        /** Ends the connection; nothing answers. */
        DISC(2),
        /** Has everything that was written on the medium. */
        FLUSH(3),
        /** Makes zero, without storage where it can. */
        WRITE_ZEROES(6),
        /** Says what reads as zeros. */
        BLOCK_STATUS(7);

        private final short number;

        Command(int number) {
            this.number = (short) number;
        }

        short number() {
            return number;
        }
    }

    NbdRequest(Command command, long offset, int length) {
        this.command = command;
        this.offset = offset;
        this.length = length;
    }

    static NbdRequest read(long offset, MemorySegment into) {
        NbdRequest request = new NbdRequest(Command.READ, offset, (int) into.byteSize());
        request.into = into;
        return request;
    }

    static NbdRequest status(long offset, int length, Extents extents) {
        NbdRequest request = new NbdRequest(Command.BLOCK_STATUS, offset, length);
        request.extents = extents;
        return request;
    }

    Command command() {
        return command;
    }

    long offset() {
        return offset;
    }

    int length() {
        return length;
    }

    long since() {
        return since;
    }

    CompletableFuture<Void> answered() {
        return answered;
    }

    /** What the server said of it, 0 for success. */
    synchronized int error() {
        return error;
    }

    /** Nobody waits for it any more, and its memory may be used for something else. */
    synchronized void abandon() {
        into = null;
        extents = null;
    }

    synchronized void fail(int errno) {
        error = error == 0 ? errno : error;
    }

    /** Reads a part of the answer. Who gives up the request waits until it is there. */
    synchronized void put(long at, int bytes, NbdReplies.Input input) throws IOException {
        add(at, bytes);
        input.read(into == null ? ByteBuffer.allocate(bytes)
                : into.asSlice(at - offset, bytes).asByteBuffer());
    }

    /** Takes a part as zeros. */
    synchronized void clear(long at, long bytes) throws IOException {
        add(at, bytes);
        if (into != null) {
            into.asSlice(at - offset, bytes).fill((byte) 0);
        }
    }

    private void add(long at, long bytes) throws IOException {
        if (bytes <= 0 || at < offset || at - offset > length - bytes) {
            throw new IOException("it answered a read of " + length + " bytes at " + offset
                    + " with " + bytes + " at " + Long.toUnsignedString(at));
        }
        parts.put(at, at + bytes);
        came += bytes;
    }

    /** Takes what is said of the next part; what is behind the request is not asked for. */
    synchronized void tell(long bytes, int flags) throws IOException {
        if (bytes == 0) {
            throw new IOException("it named a part of no bytes");
        }
        long most = Math.min(bytes, length - told);
        if (most > 0 && extents != null) {
            extents.next(most, (flags & ZERO) != 0);
        }
        told += most;
    }

    /** Looks whether it has all that it asked for. */
    synchronized void end() throws IOException {
        if (error == 0 && command == Command.READ && !isWhole()) {
            throw new IOException("it answered a read of " + length + " bytes at " + offset
                    + " with " + came + ", or twice with the same");
        }
        if (error == 0 && command == Command.BLOCK_STATUS && told == 0) {
            throw new IOException("it said nothing of what it was asked about");
        }
        answered.complete(null);
    }

    private boolean isWhole() {
        long next = offset;
        for (Map.Entry<Long, Long> part : parts.entrySet()) {
            if (part.getKey() != next) {
                return false;
            }
            next = part.getValue();
        }
        return next == offset + length && came == length;
    }
}
