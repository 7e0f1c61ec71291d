package io.pageferry.core.codec.page;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import com.github.luben.zstd.util.Native;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * zstd at level 1, one frame for a block of 1 … {@link #BLOCK_PAGES} pages: a page alone is too
 * short for it. Has memory of its own until closed; confined to one thread. Buffers are direct,
 * offsets absolute, positions and limits untouched.
 */
public final class ZstdCodec implements AutoCloseable {
    /** Most pages of a block: even one that does not shrink has a length of 16 bits. */
    public static final int BLOCK_PAGES = 15;

    /** A frame is never longer than its pages and this: headers of the format, which stores. */
    static final int OVERHEAD = 64;

    /** QEMU's and everybody's choice for moves: the next levels cost more than they save. */
    private static final int LEVEL = 1;

    /** RFC 8878, 3.1.1. */
    private static final byte[] MAGIC = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd};

    private ZstdCompressCtx compressor;
    private ZstdDecompressCtx decompressor;

    /** Makes the codec; what is native is made when it is first needed. */
    public ZstdCodec() {
    }

    /** Loads the native code, once. */
    private static final class Library {
        private static final boolean LOADED = load();

        /** From a folder of its own, gone at once: a process that is killed would leave it. */
        private static boolean load() {
            if (!Zstd.class.getModule().isNativeAccessEnabled()) {
                return false;
            }
            try {
                Path folder = Files.createTempDirectory("pageferry-zstd");
                try {
                    Native.load(folder.toFile());
                } finally {
                    try (var files = Files.list(folder)) {
                        for (Path file : files.toList()) {
                            Files.delete(file);
                        }
                    }
                    Files.delete(folder);
                }
                return true;
            } catch (IOException | LinkageError e) {
                return false;
            }
        }
    }

    /**
     * Loads the native code where this did not happen yet: 10 to 50 ms.
     *
     * @return whether there is zstd: not where this JVM may load no native code, nor on a machine
     *         that the library was not built for
     */
    public static boolean isAvailable() {
        return Library.LOADED;
    }

    /**
     * Compresses a block.
     *
     * @param pages  begins with them
     * @param count  pages, 1 … {@link #BLOCK_PAGES}
     * @param out    room for {@link #frameRoom} bytes, other memory
     * @return bytes written from its offset 0, at most the pages' and {@link #OVERHEAD}
     */
    public int encode(ByteBuffer pages, int count, ByteBuffer out) {
        if (compressor == null) {
            compressor = new ZstdCompressCtx().setLevel(LEVEL);
        }
        return compressor.compressDirectByteBuffer(out, 0, out.capacity(), pages, 0,
                count * PageCodec.PAGE);
    }

    /** {@return bytes that {@link #encode} needs to write to} */
    public static int frameRoom() {
        return (int) Zstd.compressBound((long) BLOCK_PAGES * PageCodec.PAGE);
    }

    /**
     * Decompresses a block. Reads nothing outside {@code [inAt, inAt + length)} and writes nothing
     * outside the pages, whatever the input.
     *
     * @param in     holds the frame, as a peer sent it
     * @param inAt   where it begins
     * @param length of it
     * @param pages  receives the pages from its offset 0 on
     * @param count  pages that it has to hold, 1 … {@link #BLOCK_PAGES}
     * @throws PageDecodeException when it holds something else
     */
    public void decode(ByteBuffer in, int inAt, int length, ByteBuffer pages, int count)
            throws PageDecodeException {
        if (decompressor == null) {
            decompressor = new ZstdDecompressCtx();
        }
        // Else the library decodes formats of long ago, too, and frames behind one of nothing.
        if (length < Integer.BYTES || in.get(inAt) != MAGIC[0] || in.get(inAt + 1) != MAGIC[1]
                || in.get(inAt + 2) != MAGIC[2] || in.get(inAt + 3) != MAGIC[3]
                || Zstd.getDirectByteBufferFrameContentSize(in, inAt, length)
                        != (long) count * PageCodec.PAGE) {
            throw new PageDecodeException("no zstd frame of " + count + " pages");
        }
        int decoded;
        try {
            decoded = decompressor.decompressDirectByteBuffer(pages, 0, count * PageCodec.PAGE,
                    in, inAt, length);
        } catch (ZstdException e) {
            throw new PageDecodeException("zstd block is malformed: " + e.getMessage());
        }
        if (decoded != count * PageCodec.PAGE) {
            throw new PageDecodeException("zstd block of " + count + " pages decodes to " + decoded
                    + " bytes");
        }
    }

    /** Frees the native memory. Idempotent. */
    @Override
    public void close() {
        if (compressor != null) {
            compressor.close();
            compressor = null;
        }
        if (decompressor != null) {
            decompressor.close();
            decompressor = null;
        }
    }
}
