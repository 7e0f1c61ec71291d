package io.pageferry.agent.guest.qemu.start;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Bytes of the kernel as a string: each character is one byte, as a path may hold any but 0. Names
 * that QEMU's monitor gives are UTF-8 and become such by {@link #of}.
 */
public final class RawText {
    private RawText() {
    }

    /** The bytes of a text. */
    public static String of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    public static String of(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    public static byte[] bytes(String raw) {
        return raw.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** The text that the bytes are in UTF-8; empty where they are none. */
    public static Optional<String> decoded(String raw) {
        try {
            return Optional.of(StandardCharsets.UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(bytes(raw))).toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    /** For people: what is no UTF-8 is shown as a sign of replacement. */
    public static String shown(String raw) {
        return new String(bytes(raw), StandardCharsets.UTF_8);
    }
}
