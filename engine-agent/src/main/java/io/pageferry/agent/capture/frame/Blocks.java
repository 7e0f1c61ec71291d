package io.pageferry.agent.capture.frame;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import com.github.luben.zstd.util.Native;
import java.nio.ByteBuffer;

/**
 * Decodes blocks. One of LZ4 as its published block format says: a token, literals, a match that is
 * copied from what was decoded before; the last sequence has literals alone. One of zstd by the
 * library, whose format is no matter of the engine's.
 */
public final class Blocks {
    private static final int MIN_MATCH = 4;
    private static final int LONG = 15;

    private final ByteBuffer in;
    private final byte[] out;
    private int made;

    private Blocks(ByteBuffer in, byte[] out) {
        this.in = in;
        this.out = out;
    }

    /**
     * Decodes a block of LZ4.
     *
     * @param block from position to limit, which are moved
     * @param into  is filled
     * @return whether it decodes to exactly as many bytes as there is room for
     */
    public static boolean lz4(ByteBuffer block, byte[] into) {
        return new Blocks(block, into).decode();
    }

    /**
     * Decodes a block of zstd.
     *
     * @param block from position to limit, which are moved
     * @param into  is filled
     * @return whether it decodes to exactly as many bytes as there is room for
     */
    public static boolean zstd(ByteBuffer block, byte[] into) {
        byte[] bytes = new byte[block.remaining()];
        block.get(bytes);
        try {
            return bytes.length > 0 && Zstd.getFrameContentSize(bytes) == into.length
                    && Zstd.decompressByteArray(into, 0, into.length, bytes, 0, bytes.length)
                            == into.length;
        } catch (ZstdException e) {
            return false;
        }
    }

    /**
     * Loads zstd, once.
     *
     * @return whether this machine has it; else a block cannot be looked into
     */
    public static boolean hasZstd() {
        try {
            Native.load();
            return true;
        } catch (LinkageError e) {
            return false;
        }
    }

    private boolean decode() {
        while (in.hasRemaining()) {
            int token = Byte.toUnsignedInt(in.get());
            int literals = length(token >>> 4);
            if (literals < 0 || literals > in.remaining() || literals > out.length - made) {
                return false;
            }
            in.get(out, made, literals);
            made += literals;
            if (!in.hasRemaining()) {
                return made == out.length;
            }
            if (!match(token & LONG)) {
                return false;
            }
        }
        return false;
    }

    private boolean match(int first) {
        if (in.remaining() < 2) {
            return false;
        }
        int offset = Byte.toUnsignedInt(in.get()) | Byte.toUnsignedInt(in.get()) << 8;
        int length = length(first);
        if (length < 0 || offset == 0 || offset > made
                || length > out.length - made - MIN_MATCH) {
            return false;
        }
        // One by one: a match may overlap what it makes.
        for (int end = made + length + MIN_MATCH; made < end; made++) {
            out[made] = out[made - offset];
        }
        return true;
    }

    /** Goes on with the bytes of a long length; negative where they are missing or too many. */
    private int length(int first) {
        int length = first;
        int more = first == LONG ? 255 : 0;
        while (more == 255) {
            if (!in.hasRemaining() || length > out.length) {
                return -1;
            }
            more = Byte.toUnsignedInt(in.get());
            length += more;
        }
        return length;
    }
}
