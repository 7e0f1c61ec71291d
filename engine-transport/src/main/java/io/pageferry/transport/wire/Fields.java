package io.pageferry.transport.wire;

import static io.pageferry.transport.wire.WireException.violation;

import io.pageferry.core.words.Printable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/** The fields that messages are made of: read with every check, written within every limit. */
final class Fields {
    private Fields() {
    }

    /** Reads a body front to back; each method names the field that it reads. */
    static final class Reader {
        private final ByteBuffer in;

        Reader(ByteBuffer body) {
            this.in = body.order(ByteOrder.LITTLE_ENDIAN);
        }

        private void need(String field, long bytes) throws WireException {
            if (bytes > in.remaining()) {
                throw violation(field, bytes + " bytes, the body has " + in.remaining() + " left");
            }
        }

        int u8(String field, int lowest, int highest) throws WireException {
            need(field, 1);
            return (int) within(field, Byte.toUnsignedInt(in.get()), lowest, highest);
        }

        int u16(String field, int lowest, int highest) throws WireException {
            need(field, 2);
            return (int) within(field, Short.toUnsignedInt(in.getShort()), lowest, highest);
        }

        long u32(String field, long lowest, long highest) throws WireException {
            need(field, 4);
            return within(field, Integer.toUnsignedLong(in.getInt()), lowest, highest);
        }

        /** A number that counts: below 2⁶³. */
        long count(String field, long lowest) throws WireException {
            return within(field, bits(field), lowest, Long.MAX_VALUE);
        }

        long bits(String field) throws WireException {
            need(field, 8);
            return in.getLong();
        }

        void reserved(int bytes) throws WireException {
            need("reserved", bytes);
            for (int i = 0; i < bytes; i++) {
                if (in.get() != 0) {
                    throw violation("reserved", "not 0");
                }
            }
        }

        UUID uuid(String field) throws WireException {
            need(field, 16);
            return new UUID(Long.reverseBytes(in.getLong()), Long.reverseBytes(in.getLong()));
        }

        String string(String field, int shortest, int longest) throws WireException {
            return text(field, u16(field + " length", shortest, longest));
        }

        /** A peer's words: nothing is taken in them that a terminal would obey. */
        String text(String field, int bytes) throws WireException {
            need(field, bytes);
            ByteBuffer part = in.slice(in.position(), bytes);
            in.position(in.position() + bytes);
            try {
                String text = StandardCharsets.UTF_8.newDecoder().decode(part).toString();
                if (!text.equals(Printable.of(text))) {
                    throw violation(field, "control characters");
                }
                return text;
            } catch (CharacterCodingException e) {
                throw violation(field, "malformed UTF-8");
            }
        }

        byte[] bytes(String field, int length) throws WireException {
            need(field, length);
            byte[] bytes = new byte[length];
            in.get(bytes);
            return bytes;
        }

        long[] counts(String field, int count) throws WireException {
            need(field, 8L * count);
            long[] values = new long[count];
            for (int i = 0; i < count; i++) {
                values[i] = count(field, 0);
            }
            return values;
        }

        long[] longs(String field, int count) throws WireException {
            need(field, 8L * count);
            long[] values = new long[count];
            in.asLongBuffer().get(values);
            in.position(in.position() + 8 * count);
            return values;
        }

        int[] ints(String field, int count) throws WireException {
            need(field, 4L * count);
            int[] values = new int[count];
            in.asIntBuffer().get(values);
            in.position(in.position() + 4 * count);
            return values;
        }

        void end() throws WireException {
            if (in.hasRemaining()) {
                throw violation("body length", in.remaining() + " bytes too many");
            }
        }

        private static long within(String field, long value, long lowest, long highest)
                throws WireException {
            if (value < lowest || value > highest) {
                throw violation(field, Long.toUnsignedString(value) + ", allowed " + lowest
                        + " to " + highest);
            }
            return value;
        }
    }

    /** Writes a frame with room for its header; what is out of range is the caller's mistake. */
    static final class Writer {
        private static final int FIRST_SIZE = 256;

        private ByteBuffer out = ByteBuffer.allocate(FIRST_SIZE).order(ByteOrder.LITTLE_ENDIAN)
                .position(WireLimits.FRAME_HEADER_BYTES);

        private ByteBuffer room(int bytes) {
            if (bytes > out.remaining()) {
                int size = Math.max(out.capacity() * 2, out.position() + bytes);
                out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN).put(out.flip());
            }
            return out;
        }

        Writer u8(String field, int value, int lowest, int highest) {
            room(1).put((byte) within(field, value, lowest, highest));
            return this;
        }

        Writer u16(String field, int value, int lowest, int highest) {
            room(2).putShort((short) within(field, value, lowest, highest));
            return this;
        }

        Writer u32(String field, long value, long lowest, long highest) {
            room(4).putInt((int) within(field, value, lowest, highest));
            return this;
        }

        Writer count(String field, long value, long lowest) {
            return bits(within(field, value, lowest, Long.MAX_VALUE));
        }

        Writer bits(long value) {
            room(8).putLong(value);
            return this;
        }

        Writer reserved(int bytes) {
            room(bytes).put(new byte[bytes]);
            return this;
        }

        Writer uuid(UUID value) {
            return bits(Long.reverseBytes(value.getMostSignificantBits()))
                    .bits(Long.reverseBytes(value.getLeastSignificantBits()));
        }

        Writer string(String field, String value, int shortest, int longest) {
            byte[] utf8 = utf8(field, value);
            return u16(field + " length", utf8.length, shortest, longest).bytes(utf8);
        }

        /** Cuts between two characters where the text is too long. */
        Writer reason(String value, int longest) {
            ByteBuffer utf8 = ByteBuffer.allocate(longest);
            StandardCharsets.UTF_8.newEncoder()
                    .onMalformedInput(CodingErrorAction.REPLACE)
                    .encode(CharBuffer.wrap(Printable.of(value)), utf8, true);
            room(2 + utf8.position()).putShort((short) utf8.position()).put(utf8.flip());
            return this;
        }

        Writer text8(String field, String value, int longest) {
            byte[] utf8 = utf8(field, value);
            return u8(field + " length", utf8.length, 1, longest).bytes(utf8);
        }

        Writer bytes(byte[] value) {
            room(value.length).put(value);
            return this;
        }

        Writer counts(String field, long[] values) {
            for (long value : values) {
                count(field, value, 0);
            }
            return this;
        }

        Writer longs(long[] values) {
            for (long value : values) {
                bits(value);
            }
            return this;
        }

        Writer ints(int[] values) {
            room(4 * values.length).asIntBuffer().put(values);
            out.position(out.position() + 4 * values.length);
            return this;
        }

        byte[] frame(MessageType type) {
            int body = out.position() - WireLimits.FRAME_HEADER_BYTES;
            FrameHeader.begin(out, 0, type.number(), body);
            return Arrays.copyOf(out.array(), out.position());
        }

        private static byte[] utf8(String field, String value) {
            try {
                ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder()
                        .encode(CharBuffer.wrap(value));
                String shown = Printable.of(value);
                if (!shown.equals(value)) {
                    return shown.getBytes(StandardCharsets.UTF_8);
                }
                return Arrays.copyOf(encoded.array(), encoded.remaining());
            } catch (CharacterCodingException e) {
                throw new IllegalArgumentException(field + ": half of a surrogate pair", e);
            }
        }

        private static long within(String field, long value, long lowest, long highest) {
            if (value < lowest || value > highest) {
                throw new IllegalArgumentException(
                        field + ": " + value + ", allowed " + lowest + " to " + highest);
            }
            return value;
        }
    }
}
