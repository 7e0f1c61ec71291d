package io.pageferry.agent.capture.check;

import static io.pageferry.agent.capture.frame.Breach.unless;

import io.pageferry.agent.capture.frame.Blocks;
import io.pageferry.agent.capture.frame.Breach;
import io.pageferry.agent.capture.frame.Crc;
import io.pageferry.agent.capture.frame.Frame;
import io.pageferry.agent.capture.frame.Rule;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Checks the body of a batch, in the order of PROTOCOL.md §8, and what its pages decode to. */
final class Batches {
    private static final int HEADER = 40;
    private static final int ENTRY = 16;
    private static final int MOST_PAGES = 1024;
    private static final int MOST_PAYLOAD = 524_288;
    private static final int ZERO = 1;
    private static final int RAW = 2;
    private static final int LZ4 = 3;
    private static final int DELTA = 4;
    private static final int ZSTD = 6;
    private static final long FEATURE_ZSTD = 1;
    private static final long FEATURE_DELTA = 2;
    private static final int BLOCK_PAGES = 15;

    private final byte[] page = new byte[PageSums.PAGE];
    private final ByteBuffer pageView = ByteBuffer.wrap(page);
    /** Entries of the block of zstd whose bytes have not come yet. */
    private final List<Integer> block = new ArrayList<>();

    void check(Channel channel, Frame frame) throws Breach {
        ByteBuffer body = frame.body();
        int count = Short.toUnsignedInt(body.getShort(30));
        long payload = Integer.toUnsignedLong(body.getInt(32));
        unless(count >= 1 && count <= MOST_PAGES && payload <= MOST_PAYLOAD
                && frame.summed() == HEADER + count * ENTRY
                && body.limit() == frame.summed() + payload, Rule.BATCH_LENGTHS, count
                + " pages and " + payload + " bytes of payload in a body of " + body.limit()
                + ", " + frame.summed() + " summed");
        unless(body.getInt(36) == 0, Rule.BATCH_RESERVED, "the reserved bytes are not 0");
        for (int i = 0; i < count; i++) {
            unless(codec(body, i) == DELTA || body.getInt(entry(i) + 12) == 0,
                    Rule.BATCH_REFERENCE,
                    "page " + i + " of codec " + codec(body, i) + " has a reference");
        }
        channel.batch(body.getLong(0), Short.toUnsignedInt(body.getShort(28)), body.getLong(8));
        Session session = channel.session();
        long round = body.getLong(16);
        unless(round >= 0, Rule.NUMBER_RANGE, "round " + Long.toUnsignedString(round));
        directory(session, body, count, payload);
        session.handover().batch();
        session.rounds().batch(channel, round);
        int at = frame.summed();
        block.clear();
        for (int i = 0; i < count; i++) {
            int length = length(body, i);
            page(session, body, i, at);
            at += length;
        }
        unless(block.isEmpty(), Rule.BLOCK_SHAPE, "a block of " + block.size()
                + " pages has no bytes");
    }

    private static int entry(int i) {
        return HEADER + i * ENTRY;
    }

    private static long index(ByteBuffer body, int i) {
        return body.getLong(entry(i)) & 0xFF_FFFF_FFFFL;
    }

    private static int length(ByteBuffer body, int i) {
        return Short.toUnsignedInt(body.getShort(entry(i) + 5));
    }

    private static int codec(ByteBuffer body, int i) {
        return Byte.toUnsignedInt(body.get(entry(i) + 7));
    }

    private static void directory(Session session, ByteBuffer body, int count, long payload)
            throws Breach {
        List<Long> regions = session.offer().regions();
        long region = Integer.toUnsignedLong(body.getInt(24));
        unless(region < regions.size(), Rule.BATCH_REGION, "region " + region + " of "
                + regions.size());
        long first = regions.subList(0, (int) region).stream().mapToLong(Long::longValue).sum();
        long end = first + regions.get((int) region);
        long sum = 0;
        for (int i = 0; i < count; i++) {
            long index = index(body, i);
            unless(index >= first && index < end, Rule.PAGE_INDEX, "page " + index
                    + " is not in region " + region + ", " + first + " to " + (end - 1));
            unless(length(body, i) <= PageSums.PAGE || codec(body, i) == ZSTD, Rule.PAGE_LENGTH,
                    "page " + index + " has " + length(body, i) + " bytes");
            unless(codec(body, i) != 0, Rule.CODEC_ZERO, "page " + index + " has codec 0");
            sum += length(body, i);
        }
        unless(sum == payload, Rule.BATCH_SUM, "the lengths add up to " + sum + ", not " + payload);
    }

    private void page(Session session, ByteBuffer body, int i, int at) throws Breach {
        long index = index(body, i);
        int length = length(body, i);
        int codec = codec(body, i);
        unless(codec <= DELTA || codec == ZSTD, Rule.CODEC_UNKNOWN, "page " + index
                + " has codec " + codec);
        unless(switch (codec) {
            case DELTA -> (session.features() & FEATURE_DELTA) != 0;
            case ZSTD -> (session.features() & FEATURE_ZSTD) != 0;
            default -> true;
        }, Rule.CODEC_FEATURE, "page " + index + " has codec " + codec + ", with features "
                + Long.toHexString(session.features()));
        unless(switch (codec) {
            case ZERO -> length == 0;
            case RAW -> length == PageSums.PAGE;
            case ZSTD -> true;
            default -> length >= 1 && length < PageSums.PAGE;
        }, Rule.CODEC_LENGTH, "page " + index + " has " + length + " bytes of codec " + codec);
        ByteBuffer bytes = body.slice(at, length);
        switch (codec) {
            case ZERO -> unless(body.getInt(entry(i) + 8) == PageSums.ZEROS, Rule.PAGE_CHECKSUM,
                    "page " + index + " is zeros, and has not their checksum");
            case RAW -> {
                bytes.get(page);
                content(body, i);
            }
            case DELTA -> difference(session, body, i, bytes);
            case ZSTD -> block(body, i, bytes);
            default -> {
                unless(Blocks.lz4(bytes, page), Rule.PAGE_BLOCK, "page " + index
                        + " does not decode to 4096 bytes");
                content(body, i);
            }
        }
        unless(session.pages().add(index, body.getInt(entry(i) + 8)), Rule.PAGE_TWICE, "page "
                + index + " was sent in this round before");
    }

    /** Checks the page that was decoded last. */
    private void content(ByteBuffer body, int i) throws Breach {
        unless(body.getInt(entry(i) + 8) == Crc.of(pageView, 0, PageSums.PAGE),
                Rule.PAGE_CHECKSUM, "page " + index(body, i)
                + " has not the checksum of its directory");
        unless(!isZeros(), Rule.PAGE_ZEROS, "page " + index(body, i) + " is zeros, by codec "
                + codec(body, i));
    }

    /** What it makes of its base is not known here: contents are not kept. */
    private void difference(Session session, ByteBuffer body, int i, ByteBuffer bytes)
            throws Breach {
        long index = index(body, i);
        int base = body.getInt(entry(i) + 12);
        unless(!session.isSentKnown() || base == session.pages().of(index), Rule.DELTA_BASE,
                "page " + index + " is the difference to another content than was sent of it");
        unless(Blocks.lz4(bytes, page), Rule.PAGE_BLOCK, "page " + index
                + " does not decode to 4096 bytes");
    }

    private void block(ByteBuffer body, int i, ByteBuffer bytes) throws Breach {
        block.add(i);
        unless(block.size() <= BLOCK_PAGES, Rule.BLOCK_SHAPE, "a block of more than "
                + BLOCK_PAGES + " pages");
        if (!bytes.hasRemaining()) {
            return;
        }
        if (!Blocks.hasZstd()) {
            block.clear();
            return;
        }
        byte[] pages = new byte[block.size() * PageSums.PAGE];
        unless(Blocks.zstd(bytes, pages), Rule.PAGE_BLOCK, "the block of page " + index(body, i)
                + " does not decode to " + block.size() + " pages");
        for (int place = 0; place < block.size(); place++) {
            System.arraycopy(pages, place * PageSums.PAGE, page, 0, PageSums.PAGE);
            content(body, block.get(place));
        }
        block.clear();
    }

    private boolean isZeros() {
        for (byte one : page) {
            if (one != 0) {
                return false;
            }
        }
        return true;
    }
}
