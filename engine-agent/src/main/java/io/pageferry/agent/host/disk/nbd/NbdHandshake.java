package io.pageferry.agent.host.disk.nbd;

import io.pageferry.core.words.Printable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** The fixed newstyle handshake, up to where requests may be sent. One thread. */
final class NbdHandshake {
    private static final long MAGIC = 0x4e42444d41474943L;
    private static final long OPTION_MAGIC = 0x49484156454f5054L;
    private static final long REPLY_MAGIC = 0x0003e889045565a9L;
    private static final int FIXED_NEWSTYLE = 1;
    private static final int NO_ZEROES = 2;

    private static final int OPT_GO = 7;
    private static final int OPT_STRUCTURED_REPLY = 8;
    private static final int OPT_SET_META_CONTEXT = 10;

    private static final int REP_ACK = 1;
    private static final int REP_INFO = 3;
    private static final int REP_META_CONTEXT = 4;
    private static final int ERR_UNSUP = 1 << 31 | 1;
    private static final int ERR_TLS_REQD = 1 << 31 | 5;
    private static final int ERR_UNKNOWN = 1 << 31 | 6;

    private static final short INFO_EXPORT = 0;
    private static final short INFO_BLOCK_SIZE = 3;
    private static final String ALLOCATION = "base:allocation";

    private static final int PAGE = 4096;
    /** What a server may require without saying it. */
    private static final int USUAL_MOST = 32 << 20;
    private static final int MOST_BYTES = 1 << 16;
    /** A PiB: beyond it what a side keeps of each page fits into no memory. */
    private static final long MOST_SIZE = 1L << 50;
    private static final int MOST_REPLIES = 100;
    private static final int SHOWN = 200;

    private final NbdSocket socket;
    private final byte[] export;

    private record Reply(int type, ByteBuffer data) {
        boolean isError() {
            return type < 0;
        }

        String words() {
            byte[] text = new byte[Math.min(SHOWN, data.remaining())];
            data.get(text);
            return text.length == 0 ? "error " + (type & 0x7fffffff)
                    : Printable.of(new String(text, StandardCharsets.UTF_8));
        }
    }

    NbdHandshake(NbdSocket socket, String export) {
        this.socket = socket;
        this.export = export.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Negotiates one export.
     *
     * @return the export, ready for requests
     * @throws IOException with the reason, where it has none such
     */
    NbdExport run() throws IOException {
        greet();
        boolean structured = last(ask(OPT_STRUCTURED_REPLY, ByteBuffer.allocate(0))).type()
                == REP_ACK;
        OptionalInt allocation = structured ? allocation() : OptionalInt.empty();
        ByteBuffer wanted = ByteBuffer.allocate(Integer.BYTES + export.length
                + 2 * Short.BYTES);
        wanted.putInt(export.length).put(export).putShort((short) 1).putShort(INFO_BLOCK_SIZE);
        List<Reply> replies = ask(OPT_GO, wanted.flip());
        requireTaken(last(replies));
        return export(replies, structured, allocation);
    }

    private void greet() throws IOException {
        ByteBuffer hello = ByteBuffer.allocate(2 * Long.BYTES + Short.BYTES);
        socket.read(hello);
        if (hello.getLong() != MAGIC) {
            throw new IOException("it does not speak NBD");
        }
        boolean newstyle = hello.getLong() == OPTION_MAGIC;
        int flags = newstyle ? hello.getShort() : 0;
        if ((flags & FIXED_NEWSTYLE) == 0) {
            throw new IOException("it speaks an old NBD, without the fixed newstyle handshake");
        }
        socket.write(ByteBuffer.allocate(Integer.BYTES)
                .putInt(flags & (FIXED_NEWSTYLE | NO_ZEROES)).flip());
    }

    private OptionalInt allocation() throws IOException {
        byte[] name = ALLOCATION.getBytes(StandardCharsets.UTF_8);
        ByteBuffer wanted = ByteBuffer.allocate(3 * Integer.BYTES + export.length + name.length);
        wanted.putInt(export.length).put(export).putInt(1).putInt(name.length).put(name);
        for (Reply reply : ask(OPT_SET_META_CONTEXT, wanted.flip())) {
            if (reply.type() == REP_META_CONTEXT && reply.data().remaining() > Integer.BYTES) {
                int id = reply.data().getInt();
                if (ALLOCATION.equals(StandardCharsets.UTF_8.decode(reply.data()).toString())) {
                    return OptionalInt.of(id);
                }
            }
        }
        return OptionalInt.empty();
    }

    private void requireTaken(Reply last) throws IOException {
        if (!last.isError()) {
            return;
        }
        String name = Printable.of(new String(export, StandardCharsets.UTF_8));
        String why = switch (last.type()) {
            case ERR_UNKNOWN -> "it has no export '" + name + "'";
            case ERR_TLS_REQD -> "it wants TLS";
            case ERR_UNSUP -> "it speaks an old NBD, without NBD_OPT_GO";
            default -> "it refuses the export '" + name + "': " + last.words();
        };
        throw new IOException(why);
    }

    private static NbdExport export(List<Reply> replies, boolean structured,
            OptionalInt allocation) throws IOException {
        long size = -1;
        int flags = 0;
        int min = 1;
        long max = USUAL_MOST;
        for (Reply reply : replies) {
            ByteBuffer data = reply.data();
            short info = reply.type() == REP_INFO && data.remaining() >= Short.BYTES
                    ? data.getShort() : -1;
            if (info == INFO_EXPORT) {
                requireLength(data, Long.BYTES + Short.BYTES);
                size = data.getLong();
                flags = Short.toUnsignedInt(data.getShort());
            } else if (info == INFO_BLOCK_SIZE) {
                requireLength(data, 3 * Integer.BYTES);
                min = data.getInt();
                data.getInt();
                max = Integer.toUnsignedLong(data.getInt());
            }
        }
        if (size <= 0 || size > MOST_SIZE) {
            throw new IOException(size == 0 ? "the export has no bytes"
                    : "it says no size of the export that could be one");
        }
        if (min < 1 || min > PAGE || Integer.bitCount(min) != 1 || max < PAGE
                || size % min != 0) {
            throw new IOException("it wants blocks of " + Integer.toUnsignedString(min) + " to "
                    + max + " bytes of an export of " + size + ": there have to be such of "
                    + PAGE);
        }
        return new NbdExport(size, flags, min, (int) Math.min(max, USUAL_MOST), structured,
                allocation);
    }

    private static void requireLength(ByteBuffer data, int bytes) throws IOException {
        if (data.remaining() != bytes) {
            throw new IOException("what it says of the export has a wrong length");
        }
    }

    private static Reply last(List<Reply> replies) {
        return replies.getLast();
    }

    /** Returns all that it answers, with the word that ends it as the last. */
    private List<Reply> ask(int option, ByteBuffer data) throws IOException {
        socket.write(ByteBuffer.allocate(Long.BYTES + 2 * Integer.BYTES).putLong(OPTION_MAGIC)
                .putInt(option).putInt(data.remaining()).flip(), data);
        List<Reply> replies = new ArrayList<>();
        while (replies.size() < MOST_REPLIES) {
            Reply reply = reply(option);
            replies.add(reply);
            if (reply.type() == REP_ACK || reply.isError()) {
                return replies;
            }
        }
        throw new IOException("it does not come to an end with its answers to an option");
    }

    private Reply reply(int option) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(Long.BYTES + 3 * Integer.BYTES);
        socket.read(header);
        if (header.getLong() != REPLY_MAGIC || header.getInt() != option) {
            throw new IOException("it answers in another form than that of NBD");
        }
        int type = header.getInt();
        int length = header.getInt();
        if (length < 0 || length > MOST_BYTES) {
            throw new IOException("it answers an option with "
                    + Integer.toUnsignedString(length) + " bytes");
        }
        ByteBuffer data = ByteBuffer.allocate(length);
        socket.read(data);
        return new Reply(type, data);
    }
}
