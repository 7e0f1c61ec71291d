package io.pageferry.agent.host.linux.bpf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * What a kernel says of its own types, in BPF Type Format (the kernel's Documentation/bpf/btf.rst).
 * Types are numbers; 0 is void. Whatever is missing or damaged is an {@link IOException}.
 */
final class Btf {
    /** Where a kernel shows it that was built with CONFIG_DEBUG_INFO_BTF. */
    static final Path OF_THIS_KERNEL = Path.of("/sys/kernel/btf/vmlinux");

    private static final int MAGIC = 0xeb9f;
    private static final int TYPE_BYTES = 12;
    private static final int KIND_INT = 1;
    private static final int KIND_PTR = 2;
    private static final int KIND_STRUCT = 4;
    private static final int KIND_UNION = 5;
    private static final int KIND_TYPEDEF = 8;
    private static final int KIND_RESTRICT = 11;
    private static final int KIND_FUNC_PROTO = 13;
    private static final int KIND_TYPE_TAG = 18;

    /** Types that are other names of others, or members without a name, within each other. */
    private static final int DEEPEST = 32;

    private final ByteBuffer bytes;
    private final int strings;
    private final int stringsEnd;
    /** Where each type stands. */
    private int[] places = new int[1 << 10];
    private int count = 1;

    private Btf(ByteBuffer bytes) throws IOException {
        this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
        if ((bytes.getShort(0) & 0xffff) != MAGIC || bytes.get(2) != 1) {
            throw new IOException("it does not begin as version 1 of BTF does");
        }
        int header = bytes.getInt(4);
        int types = section(header, bytes.getInt(8));
        int typesEnd = section(types, bytes.getInt(12));
        strings = section(header, bytes.getInt(16));
        stringsEnd = section(strings, bytes.getInt(20));
        int at = types;
        while (at < typesEnd) {
            if (count == places.length) {
                places = Arrays.copyOf(places, 2 * count);
            }
            places[count++] = at;
            at += TYPE_BYTES + behind(at);
        }
    }

    /** A member of a structure: where it lies there, in bytes, and of which type it is. */
    record Member(int offset, int type) { }

    private interface Reading<T> {
        T read() throws IOException;
    }

    /** Reads what this kernel says. */
    static Btf ofThisKernel() throws IOException {
        try {
            return parse(Files.readAllBytes(OF_THIS_KERNEL));
        } catch (NoSuchFileException e) {
            throw new IOException("this kernel does not describe its types (" + OF_THIS_KERNEL
                    + "): one with CONFIG_DEBUG_INFO_BTF does", e);
        }
    }

    /** Reads a description. */
    static Btf parse(byte[] all) throws IOException {
        return guarded(() -> new Btf(ByteBuffer.wrap(all)));
    }

    private static <T> T guarded(Reading<T> reading) throws IOException {
        try {
            return reading.read();
        } catch (IndexOutOfBoundsException | ArithmeticException e) {
            throw new IOException("the kernel's description of its types is damaged", e);
        }
    }

    private int section(int base, int offset) {
        int at = Math.addExact(base, offset);
        if (base < 0 || offset < 0 || at > bytes.limit()) {
            throw new IndexOutOfBoundsException(at);
        }
        return at;
    }

    private int kind(int at) {
        return bytes.getInt(at + 4) >>> 24 & 0x1f;
    }

    private int length(int at) {
        return bytes.getInt(at + 4) & 0xffff;
    }

    /** Bytes of a type behind its first twelve. */
    private int behind(int at) throws IOException {
        int kind = kind(at);
        return switch (kind) {
            case 1, 14, 17 -> 4;
            case 3 -> 12;
            case 4, 5, 15, 19 -> 12 * length(at);
            case 6, 13 -> 8 * length(at);
            case 2, 7, 8, 9, 10, 11, 12, 16, 18 -> 0;
            default -> throw new IOException("types of kind " + kind + " are not known here");
        };
    }

    private int place(int type) {
        if (type < 1 || type >= count) {
            throw new IndexOutOfBoundsException(type);
        }
        return places[type];
    }

    private boolean isNamed(int at, String name) {
        int offset = bytes.getInt(at);
        if (offset < 0 || offset > stringsEnd - strings - name.length() - 1) {
            return false;
        }
        int from = strings + offset;
        for (int i = 0; i < name.length(); i++) {
            if (bytes.get(from + i) != name.charAt(i)) {
                return false;
            }
        }
        return bytes.get(from + name.length()) == 0;
    }

    /** {@return the number of a type definition, or of none 0} */
    int typedef(String name) throws IOException {
        return guarded(() -> {
            for (int type = 1; type < count; type++) {
                if (kind(places[type]) == KIND_TYPEDEF && isNamed(places[type], name)) {
                    return type;
                }
            }
            return 0;
        });
    }

    /** Follows type definitions, const, volatile and their like. */
    private int plain(int type) throws IOException {
        int found = type;
        for (int i = 0; i < DEEPEST; i++) {
            int kind = found == 0 ? 0 : kind(place(found));
            if (kind < KIND_TYPEDEF || kind > KIND_RESTRICT && kind != KIND_TYPE_TAG) {
                return found;
            }
            found = bytes.getInt(place(found) + 8);
        }
        throw new IOException("type " + type + " is defined by itself");
    }

    private int plain(int type, int kind, String what) throws IOException {
        int found = plain(type);
        if (found == 0 || kind(place(found)) != kind) {
            throw new IOException("this kernel has " + what + " of another kind than is known");
        }
        return found;
    }

    /** {@return what a pointer points to, with const and its like followed} */
    int pointee(int type, String what) throws IOException {
        return guarded(() -> plain(bytes.getInt(
                place(plain(type, KIND_PTR, what)) + 8)));
    }

    /** {@return bytes of a number, or 0 where it is none} */
    int sizeOfNumber(int type) throws IOException {
        return guarded(() -> {
            int found = plain(type);
            return found != 0 && kind(place(found)) == KIND_INT
                    ? bytes.getInt(place(found) + 8) : 0;
        });
    }

    /** {@return the types of a function's parameters} */
    int[] parameters(int prototype, String what) throws IOException {
        return guarded(() -> {
            int at = place(plain(prototype, KIND_FUNC_PROTO, what));
            int[] types = new int[length(at)];
            for (int i = 0; i < types.length; i++) {
                types[i] = bytes.getInt(at + TYPE_BYTES + 8 * i + 4);
            }
            return types;
        });
    }

    /** Returns whether a type is the structure of that name. */
    boolean isStruct(int type, String name) throws IOException {
        return guarded(() -> type != 0 && kind(place(type)) == KIND_STRUCT
                && isNamed(place(type), name));
    }

    /** Finds a member of a structure, also inside of members without a name. */
    Member member(int struct, String name) throws IOException {
        Member found = guarded(() -> member(plain(struct), name, 0));
        if (found == null) {
            throw new IOException("this kernel's structure has no " + name
                    + ": changed blocks cannot be tracked on it");
        }
        return found;
    }

    private Member member(int struct, String name, int depth) throws IOException {
        int kind = struct == 0 ? 0 : kind(place(struct));
        if (kind != KIND_STRUCT && kind != KIND_UNION || depth > DEEPEST) {
            return null;
        }
        int at = place(struct);
        // With the flag there are bit fields: an offset has their width in its upper byte.
        boolean flagged = bytes.getInt(at + 4) < 0;
        for (int i = 0; i < length(at); i++) {
            int place = at + TYPE_BYTES + 12 * i;
            int offset = (flagged ? bytes.getInt(place + 8) & 0xffffff : bytes.getInt(place + 8))
                    / Byte.SIZE;
            if (isNamed(place, name)) {
                return new Member(offset, bytes.getInt(place + 4));
            }
            Member inside = isNamed(place, "")
                    ? member(plain(bytes.getInt(place + 4)), name, depth + 1) : null;
            if (inside != null) {
                return new Member(offset + inside.offset(), inside.type());
            }
        }
        return null;
    }
}
