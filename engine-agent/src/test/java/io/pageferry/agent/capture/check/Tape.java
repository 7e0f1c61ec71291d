package io.pageferry.agent.capture.check;

import io.pageferry.agent.capture.Capture;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.zip.CRC32C;

/**
 * A capture cut into preambles and frames, in the order in which each was whole, to bend one of
 * them: numbers and sums of the frames are made right again unless they are what is bent.
 */
final class Tape {
    static final int HEADER = 32;
    static final int PREAMBLE = 16;

    private final Capture.Side side;
    private final List<Piece> pieces = new ArrayList<>();

    /** A preamble, a frame, or another event of a connection. */
    static final class Piece {
        final int connection;
        final boolean fromSource;
        final Capture.Kind other;
        byte[] bytes;
        /** Whether number and sums are to stay as they are. */
        boolean raw;

        Piece(int connection, boolean fromSource, Capture.Kind other, byte[] bytes) {
            this.connection = connection;
            this.fromSource = fromSource;
            this.other = other;
            this.bytes = bytes;
        }

        boolean isPreamble() {
            return other == null && bytes.length == PREAMBLE;
        }

        int type() {
            return other != null || isPreamble() ? 0 : header().getInt(0);
        }

        ByteBuffer header() {
            return little(bytes);
        }

        /** The body, for reading and writing. */
        ByteBuffer body() {
            return little(bytes).position(HEADER).slice().order(ByteOrder.LITTLE_ENDIAN);
        }

        byte[] bodyBytes() {
            byte[] body = new byte[bytes.length - HEADER];
            System.arraycopy(bytes, HEADER, body, 0, body.length);
            return body;
        }

        Piece with(byte[] body) {
            bytes = frame(type(), body);
            return this;
        }

        Piece copy() {
            return new Piece(connection, fromSource, other, bytes.clone());
        }
    }

    private Tape(Capture.Side side) {
        this.side = side;
    }

    static Tape of(Capture.Side side, List<Capture.Event> events) {
        Tape tape = new Tape(side);
        Map<Integer, byte[]> parts = new HashMap<>();
        for (Capture.Event event : events) {
            Capture.Kind kind = event.kind();
            if (kind != Capture.Kind.SENT && kind != Capture.Kind.RECEIVED) {
                tape.pieces.add(new Piece(event.connection(), false, kind, new byte[0]));
                continue;
            }
            boolean fromSource = kind == Capture.Kind.SENT == (side == Capture.Side.SOURCE);
            int direction = 2 * event.connection() + (fromSource ? 1 : 0);
            byte[] all = join(parts.getOrDefault(direction, new byte[0]), bytes(event.bytes()));
            boolean opened = tape.pieces.stream().anyMatch(one -> one.isPreamble()
                    && one.connection == event.connection() && one.fromSource == fromSource);
            parts.put(direction, tape.cut(event.connection(), fromSource, all, opened));
        }
        return tape;
    }

    private byte[] cut(int connection, boolean fromSource, byte[] all, boolean opened) {
        int at = 0;
        boolean begun = opened;
        while (true) {
            int left = all.length - at;
            int whole = !begun ? PREAMBLE : left < HEADER ? HEADER
                    : HEADER + little(all).getInt(at + 4);
            if (left < whole) {
                return Arrays.copyOfRange(all, at, all.length);
            }
            pieces.add(new Piece(connection, fromSource, null,
                    Arrays.copyOfRange(all, at, at + whole)));
            begun = true;
            at += whole;
        }
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    static byte[] join(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(
                Arrays.stream(parts).mapToInt(one -> one.length).sum());
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }

    static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A body of zeros to be filled. */
    static ByteBuffer body(int bytes) {
        return little(new byte[bytes]);
    }

    /** A frame, to be sealed. */
    static byte[] frame(int type, byte[] body) {
        byte[] frame = new byte[HEADER + body.length];
        System.arraycopy(body, 0, frame, HEADER, body.length);
        int summed = type == 0x10 ? 40 + 16 * Short.toUnsignedInt(little(body).getShort(30))
                : body.length;
        little(frame).putInt(0, type).putInt(4, body.length).putInt(20, summed);
        return frame;
    }

    static int crc(byte[] bytes, int from, int count) {
        CRC32C sum = new CRC32C();
        sum.update(bytes, from, count);
        return (int) sum.getValue();
    }

    // --- finding and changing

    Piece piece(Predicate<Piece> wanted) {
        return pieces.stream().filter(wanted).findFirst().orElseThrow(
                () -> new AssertionError("the good capture has no such frame"));
    }

    Piece first(int type) {
        return piece(one -> one.type() == type);
    }

    Piece last(int type) {
        return pieces.reversed().stream().filter(one -> one.type() == type).findFirst()
                .orElseThrow();
    }

    List<Piece> all(int type) {
        return pieces.stream().filter(one -> one.type() == type).toList();
    }

    /** A preamble or frame. */
    Piece any(Random random) {
        List<Piece> said = pieces.stream().filter(one -> one.other == null).toList();
        return said.get(random.nextInt(said.size()));
    }

    Piece preamble(boolean fromSource) {
        return piece(one -> one.isPreamble() && one.fromSource == fromSource);
    }

    Tape before(Piece place, Piece fresh) {
        pieces.add(pieces.indexOf(place), fresh);
        return this;
    }

    Tape after(Piece place, Piece... fresh) {
        pieces.addAll(pieces.indexOf(place) + 1, List.of(fresh));
        return this;
    }

    Tape remove(Piece one) {
        pieces.remove(one);
        return this;
    }

    /** A new frame on the connection of another. */
    static Piece like(Piece other, boolean fromSource, int type, ByteBuffer body) {
        return new Piece(other.connection, fromSource, null, frame(type, body.array()));
    }

    // --- the bent capture

    /** Numbers and sums the frames again, but for those that are raw. */
    Tape seal() {
        Map<Integer, Long> numbers = new HashMap<>();
        for (Piece piece : pieces) {
            if (piece.other != null || piece.isPreamble()) {
                continue;
            }
            long number = numbers.merge(2 * piece.connection + (piece.fromSource ? 1 : 0), 1L,
                    Long::sum);
            if (!piece.raw) {
                sealOne(piece.bytes, number);
            }
        }
        return this;
    }

    static void sealOne(byte[] frame, long number) {
        ByteBuffer header = little(frame);
        header.putLong(8, number).putInt(16, crc(frame, HEADER, header.getInt(20)));
        sealHeader(frame);
    }

    static void sealHeader(byte[] frame) {
        little(frame).putInt(28, crc(frame, 0, 28));
    }

    void each(Consumer<Capture.Event> taker) {
        for (Piece piece : pieces) {
            boolean sent = piece.fromSource == (side == Capture.Side.SOURCE);
            taker.accept(new Capture.Event(piece.other != null ? piece.other
                    : sent ? Capture.Kind.SENT : Capture.Kind.RECEIVED, piece.connection, 0,
                    little(piece.bytes)));
        }
    }

    Verdict verdict() {
        CaptureCheck check = new CaptureCheck(side);
        each(check::take);
        return check.verdict();
    }
}
