package io.pageferry.agent.capture.frame;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * The fields of a message, one after another, as PROTOCOL.md writes them in braces: {@code
 * name:kind}, then lowest and highest value where they are less than the kind can hold; {@code
 * name:kind*field} is as many as another field says.
 */
final class Schema {
    private static final long U32 = 0xFFFF_FFFFL;

    private final List<String[]> fields;

    Schema(String text) {
        this.fields = Arrays.stream(text.split(" ")).filter(one -> !one.isEmpty())
                .map(one -> one.split("[:*]")).toList();
    }

    Values read(ByteBuffer bytes) throws Breach {
        Body body = new Body(bytes);
        Values values = new Values();
        for (String[] field : fields) {
            values.put(field[0], one(field, body, values));
        }
        body.end();
        return values;
    }

    private static Object one(String[] field, Body body, Values values) throws Breach {
        String name = field[0];
        return switch (field[1]) {
            case "u8" -> body.u8(name, low(field), high(field, 0xFF));
            case "u16" -> body.u16(name, low(field), high(field, 0xFFFF));
            case "u32" -> body.u32(name, low(field), high(field, U32));
            case "count" -> body.count(name, low(field));
            case "bits" -> body.bits(name);
            case "uuid" -> body.uuid(name);
            case "text" -> body.string(name, 0, low(field));
            case "bytes" -> body.bytes(name, values.num(field[2]));
            case "zero" -> {
                body.zero((int) low(field));
                yield 0L;
            }
            default -> list(field, body, values.small(field[2]));
        };
    }

    private static long[] list(String[] field, Body body, int count) throws Breach {
        long[] list = new long[count];
        for (int i = 0; i < count; i++) {
            String name = field[0] + " " + i;
            list[i] = switch (field[1]) {
                case "counts" -> body.count(name, 0);
                case "words" -> body.u32(name, 0, U32);
                default -> body.bits(name);
            };
        }
        return list;
    }

    private static long low(String[] field) {
        return field.length > 2 ? Long.parseLong(field[2]) : 0;
    }

    private static long high(String[] field, long otherwise) {
        return field.length > 3 ? Long.parseLong(field[3]) : otherwise;
    }
}
