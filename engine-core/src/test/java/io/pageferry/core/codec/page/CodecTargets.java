package io.pageferry.core.codec.page;

import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The codecs of a page against payloads that no encoder made. What is taken is one page, by the
 * library's code in C and in Java alike, and arrives again as it was when it is sent on.
 */
public final class CodecTargets implements FuzzTargets {
    /** Behind the page: a decoder in C that writes too far hits it. */
    private static final int GUARD = 64;

    private static final byte GUARD_BYTE = 0x5a;

    @Override
    public List<FuzzTarget> all() {
        return List.of(new One("codec-zero", new ZeroCodec(), new ZeroCodec()),
                new One("codec-raw", new RawCodec(), new RawCodec()),
                new One("codec-lz4", new Lz4Codec(), Lz4Codec.inJava()), new Block());
    }

    /** Frames of zstd, behind a byte that says how many pages are expected. */
    private static final class Block implements FuzzTarget {
        private final ZstdCodec codec = new ZstdCodec();
        private final ByteBuffer room =
                ByteBuffer.allocateDirect(ZstdCodec.BLOCK_PAGES * PageCodec.PAGE + GUARD);
        private final ByteBuffer frame = ByteBuffer.allocateDirect(ZstdCodec.frameRoom());

        @Override
        public String name() {
            return "codec-zstd";
        }

        @Override
        public List<Class<?>> parserClasses() {
            return List.of(ZstdCodec.class);
        }

        @Override
        public boolean parses(String method) {
            return method.equals("decode");
        }

        @Override
        public Map<String, byte[]> seeds() {
            Map<String, byte[]> seeds = new LinkedHashMap<>();
            for (int count = 1; count <= ZstdCodec.BLOCK_PAGES; count += 7) {
                for (int i = 0; i < count; i++) {
                    room.put(i * PageCodec.PAGE, PageShapes.page(i));
                }
                byte[] input = new byte[1 + codec.encode(room, count, frame)];
                frame.get(0, input, 1, input.length - 1);
                input[0] = (byte) (count - 1);
                seeds.put("block-" + count, input);
            }
            return seeds;
        }

        @Override
        public boolean take(int choice, byte[] bytes) {
            if (bytes.length == 0) {
                return false;
            }
            int count = 1 + Math.floorMod(bytes[0], ZstdCodec.BLOCK_PAGES);
            int end = count * PageCodec.PAGE;
            for (int i = 0; i < GUARD; i++) {
                room.put(end + i, GUARD_BYTE);
            }
            boolean taken = true;
            try {
                codec.decode(ByteBuffer.allocateDirect(bytes.length).put(0, bytes), 1,
                        bytes.length - 1, room, count);
            } catch (PageDecodeException e) {
                taken = false;
            }
            for (int i = 0; i < GUARD; i++) {
                if (room.get(end + i) != GUARD_BYTE) {
                    throw new AssertionError("written behind the pages");
                }
            }
            return taken;
        }
    }

    private static final class One implements FuzzTarget {
        private final String name;
        private final PageCodec codec;
        private final PageCodec other;
        private final ByteBuffer room = ByteBuffer.allocateDirect(PageCodec.PAGE + GUARD);
        private final ByteBuffer page = room.slice(0, PageCodec.PAGE);
        private final ByteBuffer otherPage = ByteBuffer.allocateDirect(PageCodec.PAGE);
        private final ByteBuffer again = ByteBuffer.allocateDirect(PageCodec.PAGE);

        One(String name, PageCodec codec, PageCodec other) {
            this.name = name;
            this.codec = codec;
            this.other = other;
            for (int i = 0; i < GUARD; i++) {
                room.put(PageCodec.PAGE + i, GUARD_BYTE);
            }
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public List<Class<?>> parserClasses() {
            return List.of(codec.getClass());
        }

        @Override
        public boolean parses(String method) {
            return method.equals("decode");
        }

        /** Of pages of all shapes, as far as the codec has them; the last is one page of noise. */
        @Override
        public Map<String, byte[]> seeds() {
            Map<String, byte[]> seeds = new LinkedHashMap<>();
            for (int seed = 0; seed < 8; seed++) {
                ByteBuffer shape = ByteBuffer.allocateDirect(PageCodec.PAGE);
                shape.put(0, PageShapes.page(seed));
                int length = codec.encode(shape, 0, again, 0);
                if (length != PageCodec.NO_GAIN && (seed < 2 || codec.id() == PageCodec.LZ4)) {
                    byte[] payload = new byte[length];
                    again.get(0, payload);
                    seeds.put("page-" + seed, payload);
                }
            }
            if (codec.id() == PageCodec.ZERO) {
                seeds.put("page", new byte[0]);
            }
            return seeds;
        }

        /** The choice is where in its batch the payload begins. */
        @Override
        public boolean take(int choice, byte[] bytes) {
            ByteBuffer in = ByteBuffer.allocateDirect(choice + bytes.length);
            in.put(choice, bytes);
            boolean taken = decode(codec, in, choice, page);
            require(taken == decode(other, in, choice, otherPage), "two decoders disagree");
            for (int i = 0; i < GUARD; i++) {
                require(room.get(PageCodec.PAGE + i) == GUARD_BYTE, "written behind the page");
            }
            if (taken) {
                require(page.mismatch(otherPage) == -1, "two decoders made two pages");
                arrivesAgain();
            }
            return taken;
        }

        private static boolean decode(PageCodec by, ByteBuffer in, int at, ByteBuffer page) {
            try {
                by.decode(in, at, in.capacity() - at, page, 0);
                return true;
            } catch (PageDecodeException e) {
                return false;
            }
        }

        private void arrivesAgain() {
            int length = codec.encode(page, 0, again, 0);
            if (length != PageCodec.NO_GAIN) {
                require(decode(codec, again.slice(0, length), 0, otherPage)
                        && page.mismatch(otherPage) == -1, "the page does not arrive again");
            }
        }

        private static void require(boolean holds, String otherwise) {
            if (!holds) {
                throw new AssertionError(otherwise);
            }
        }
    }
}
