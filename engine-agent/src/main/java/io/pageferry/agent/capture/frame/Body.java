package io.pageferry.agent.capture.frame;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** Reads the fields of a body front to back, by PROTOCOL.md §4. */
final class Body {
    private final ByteBuffer in;

    Body(ByteBuffer body) {
        this.in = body;
    }

    private void need(String field, long bytes) throws Breach {
        Breach.unless(bytes <= in.remaining(), Rule.BODY_FIELDS, field + ": " + bytes
                + " bytes, and the body has " + in.remaining() + " left");
    }

    long u8(String field, long lowest, long highest) throws Breach {
        need(field, 1);
        return within(field, Byte.toUnsignedLong(in.get()), lowest, highest);
    }

    long u16(String field, long lowest, long highest) throws Breach {
        need(field, 2);
        return within(field, Short.toUnsignedLong(in.getShort()), lowest, highest);
    }

    long u32(String field, long lowest, long highest) throws Breach {
        need(field, 4);
        return within(field, Integer.toUnsignedLong(in.getInt()), lowest, highest);
    }

    private static long within(String field, long value, long lowest, long highest) throws Breach {
        Breach.unless(value >= lowest && value <= highest, Rule.FIELD_RANGE,
                field + " is " + value + ", not in " + lowest + " to " + highest);
        return value;
    }

    /** A u64 that counts. */
    long count(String field, long lowest) throws Breach {
        long value = bits(field);
        Breach.unless(value >= 0, Rule.NUMBER_RANGE,
                field + " is " + Long.toUnsignedString(value) + ", 2^63 or more");
        return within(field, value, lowest, Long.MAX_VALUE);
    }

    long bits(String field) throws Breach {
        need(field, 8);
        return in.getLong();
    }

    UUID uuid(String field) throws Breach {
        need(field, 16);
        return new UUID(Long.reverseBytes(in.getLong()), Long.reverseBytes(in.getLong()));
    }

    void zero(int bytes) throws Breach {
        need("reserved", bytes);
        for (int i = 0; i < bytes; i++) {
            Breach.unless(in.get() == 0, Rule.FIELD_RESERVED,
                    "reserved byte " + (in.position() - 1) + " of the body is not 0");
        }
    }

    ByteBuffer bytes(String field, long count) throws Breach {
        need(field, count);
        ByteBuffer part = in.slice(in.position(), (int) count);
        in.position(in.position() + (int) count);
        return part;
    }

    String string(String field, long shortest, long longest) throws Breach {
        need(field, 2);
        return text(field, Short.toUnsignedLong(in.getShort()), shortest, longest);
    }

    String text(String field, long length, long shortest, long longest) throws Breach {
        Breach.unless(length >= shortest && length <= longest, Rule.TEXT_LENGTH, field + " has "
                + length + " bytes, not " + shortest + " to " + longest);
        ByteBuffer utf8 = bytes(field, length);
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
            Breach.unless(text.codePoints().allMatch(Body::isShown), Rule.TEXT_CONTROL,
                    field + " has a control character, a format character or an end of line");
            return text;
        } catch (CharacterCodingException e) {
            throw new Breach(Rule.TEXT_UTF8, field + " is no UTF-8");
        }
    }

    private static boolean isShown(int one) {
        int kind = Character.getType(one);
        return kind != Character.CONTROL && kind != Character.FORMAT
                && kind != Character.LINE_SEPARATOR && kind != Character.PARAGRAPH_SEPARATOR;
    }

    void end() throws Breach {
        Breach.unless(!in.hasRemaining(), Rule.BODY_FIELDS,
                in.remaining() + " bytes are left over in the body");
    }
}
