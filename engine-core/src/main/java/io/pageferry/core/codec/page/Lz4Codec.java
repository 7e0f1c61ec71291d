package io.pageferry.core.codec.page;

import java.nio.ByteBuffer;
import java.util.Optional;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/**
 * LZ4 block format, one block a page. Only the safe decompressor is used: it knows where the input
 * ends and never reads or writes beyond what it is given.
 */
public final class Lz4Codec implements PageCodec {
    /**
     * A page that does not shrink below this is sent raw: what is saved is less than what the
     * target pays to decompress it.
     */
    public static final int WORTHWHILE = PAGE - PAGE / 8;

    private static final Module LIBRARY = LZ4Factory.class.getModule();

    private final LZ4Compressor compressor;
    private final LZ4SafeDecompressor decompressor;
    private final ByteBuffer room;

    /** Makes the codec over the fastest LZ4 that this JVM lets us have. */
    public Lz4Codec() {
        this(factory());
    }

    private Lz4Codec(LZ4Factory factory) {
        this.compressor = factory.fastCompressor();
        this.decompressor = factory.safeDecompressor();
        this.room = ByteBuffer.allocateDirect(compressor.maxCompressedLength(PAGE));
    }

    /** As it is where nothing native may be loaded. */
    static Lz4Codec inJava() {
        return new Lz4Codec(LZ4Factory.safeInstance());
    }

    /** Without leave to load its native code the library would have the JVM warn of it. */
    private static LZ4Factory factory() {
        return LIBRARY.isNativeAccessEnabled() ? LZ4Factory.fastestInstance()
                : LZ4Factory.safeInstance();
    }

    /**
     * Returns the option that this JVM lacks.
     *
     * @return the option with which LZ4 runs in native code, several times as fast; empty where it
     *         does
     */
    public static Optional<String> missingFlag() {
        return LIBRARY.isNativeAccessEnabled() ? Optional.empty()
                : Optional.of("--enable-native-access="
                        + (LIBRARY.isNamed() ? LIBRARY.getName() : "ALL-UNNAMED"));
    }

    @Override
    public int id() {
        return LZ4;
    }

    @Override
    public int encode(ByteBuffer page, int pageAt, ByteBuffer out, int outAt) {
        // Into room for the worst case: with less, the library throws for every page of noise.
        int length = compressor.compress(page, pageAt, PAGE, room, 0, room.capacity());
        if (length > WORTHWHILE) {
            return NO_GAIN;
        }
        out.put(outAt, room, 0, length);
        return length;
    }

    @Override
    public void decode(ByteBuffer in, int inAt, int length, ByteBuffer page, int pageAt)
            throws PageDecodeException {
        if (length < 1 || length >= PAGE) {
            throw new PageDecodeException("LZ4 page of " + length + " bytes");
        }
        int decoded;
        try {
            decoded = decompressor.decompress(in, inAt, length, page, pageAt, PAGE);
        } catch (LZ4Exception e) {
            throw new PageDecodeException("LZ4 page is malformed: " + e.getMessage());
        }
        if (decoded != PAGE) {
            throw new PageDecodeException("LZ4 page decodes to " + decoded + " bytes");
        }
    }
}
