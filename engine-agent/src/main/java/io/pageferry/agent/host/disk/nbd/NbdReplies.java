package io.pageferry.agent.host.disk.nbd;

import io.pageferry.agent.host.disk.nbd.NbdRequest.Command;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;

/** Reads what a server answers, in whatever order, and hands it to who asked. One thread. */
final class NbdReplies {
    private static final int SIMPLE = 0x67446698;
    private static final int STRUCTURED = 0x668e33ef;
    private static final int DONE = 1;
    private static final int NONE = 0;
    private static final int OFFSET_DATA = 1;
    private static final int OFFSET_HOLE = 2;
    private static final int BLOCK_STATUS = 5;
    private static final int ERROR_BIT = 1 << 15;
    /** Of one chunk: as many parts as nbdkit and QEMU name at most. */
    private static final int MOST_STATUS = Integer.BYTES + (1 << 20) * 2 * Integer.BYTES;
    private static final int MOST_WORDS = 1 << 16;

    private final Input input;
    private final boolean structured;
    private final OptionalInt allocation;
    private final Map<Long, NbdRequest> pending = new ConcurrentHashMap<>();
    /** Of all but what is read of a disk, which goes to where it is wanted. */
    private final ByteBuffer data = ByteBuffer.allocateDirect(MOST_WORDS);

    /** Where the replies come from. */
    @FunctionalInterface
    interface Input {
        /** Fills a buffer, and makes it ready to be read. */
        void read(ByteBuffer into) throws IOException;
    }

    NbdReplies(Input input, NbdExport export) {
        this.input = input;
        this.structured = export.structured();
        this.allocation = export.allocation();
    }

    Map<Long, NbdRequest> pending() {
        return pending;
    }

    /** Reads one reply, or one chunk of one. */
    void next() throws IOException {
        int magic = read(Integer.BYTES).getInt();
        if (magic == SIMPLE) {
            simple();
        } else if (magic == STRUCTURED && structured) {
            chunk();
        } else {
            throw new IOException("it answered in another form than that of NBD");
        }
    }

    private ByteBuffer read(int bytes) throws IOException {
        ByteBuffer into = data.clear().limit(bytes);
        input.read(into);
        return into;
    }

    private NbdRequest asked(long cookie) throws IOException {
        NbdRequest request = pending.get(cookie);
        if (request == null) {
            throw new IOException("it answered what nobody asked");
        }
        return request;
    }

    private void simple() throws IOException {
        ByteBuffer header = read(Integer.BYTES + Long.BYTES);
        int error = header.getInt();
        long cookie = header.getLong();
        NbdRequest request = asked(cookie);
        if (error == 0 && request.command() == Command.READ) {
            if (structured) {
                throw new IOException("it answered a read in the simple form");
            }
            request.put(request.offset(), request.length(), input);
        }
        request.fail(error);
        end(cookie, request);
    }

    private void end(long cookie, NbdRequest request) throws IOException {
        request.end();
        pending.remove(cookie);
    }

    private void chunk() throws IOException {
        ByteBuffer header = read(2 * Short.BYTES + Long.BYTES + Integer.BYTES);
        int flags = header.getShort();
        int type = Short.toUnsignedInt(header.getShort());
        long cookie = header.getLong();
        int length = header.getInt();
        NbdRequest request = asked(cookie);
        int most = switch (type) {
            case NONE -> 0;
            case OFFSET_DATA -> request.length() + Long.BYTES;
            case OFFSET_HOLE -> Long.BYTES + Integer.BYTES;
            case BLOCK_STATUS -> MOST_STATUS;
            default -> MOST_WORDS;
        };
        if (length < 0 || length > most) {
            throw new IOException("it answered with " + Integer.toUnsignedString(length)
                    + " bytes where there can be " + most);
        }
        take(request, type, length);
        if ((flags & DONE) != 0) {
            end(cookie, request);
        }
    }

    private void take(NbdRequest request, int type, int length) throws IOException {
        boolean read = request.command() == Command.READ;
        if (type == OFFSET_DATA && read && length > Long.BYTES) {
            request.put(read(Long.BYTES).getLong(), length - Long.BYTES, input);
        } else if (type == OFFSET_HOLE && read && length == Long.BYTES + Integer.BYTES) {
            ByteBuffer hole = read(length);
            request.clear(hole.getLong(), Integer.toUnsignedLong(hole.getInt()));
        } else if (type == BLOCK_STATUS && request.command() == Command.BLOCK_STATUS
                && length % (2 * Integer.BYTES) == Integer.BYTES) {
            status(request, length);
        } else if ((type & ERROR_BIT) != 0 && length >= Integer.BYTES) {
            int error = read(length).getInt();
            if (error == 0) {
                throw new IOException("it answered with an error that is none");
            }
            request.fail(error);
        } else if (type != NONE) {
            throw new IOException("it answered " + request.command() + " with a chunk of type "
                    + type + " and " + length + " bytes");
        }
    }

    /** Piece by piece: of what a server only says that it sends nothing is allocated. */
    private void status(NbdRequest request, int length) throws IOException {
        if (allocation.isEmpty() || read(Integer.BYTES).getInt() != allocation.getAsInt()) {
            throw new IOException("it told of a context that nobody asked for");
        }
        for (int left = length - Integer.BYTES; left > 0;) {
            ByteBuffer parts = read(Math.min(left, data.capacity()));
            left -= parts.remaining();
            while (parts.hasRemaining()) {
                request.tell(Integer.toUnsignedLong(parts.getInt()), parts.getInt());
            }
        }
    }
}
