package io.pageferry.transport.wire;

import static io.pageferry.transport.wire.WireTargets.require;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.Lz4Codec;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.codec.page.PageDecodeException;
import io.pageferry.core.codec.page.PageDecoder;
import io.pageferry.core.codec.page.ZstdCodec;
import io.pageferry.core.image.ImageWalker;
import io.pageferry.core.image.ImageWriter;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.memory.PageGeometry;
import io.pageferry.core.memory.Region;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.TestImage;
import io.pageferry.core.testing.fuzz.FuzzTarget;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A whole batch, into an image and back. Each page of it lies there with the checksum of its
 * directory, or is owed; no other page is touched; and an honest batch makes all good again.
 */
final class BatchTarget implements FuzzTarget {
    /** Small: every page is looked at. Within {@link Samples#REGIONS}, by which frames are read. */
    private static final RegionTable REGIONS = new RegionTable(List.of(
            new Region(0, "ram", 0, 256 * 4096, 4096),
            new Region(1, Region.Kind.DISK, "disk", 1L << 32, 16 * 4096, 4096)));
    private static final long FIRST = 256;
    private static final int PAGES = 16;
    private static final byte[] ZEROS = new byte[PageGeometry.PAGE_SIZE];

    private final Seals seals = new Seals();
    private final BatchFrames frames = new BatchFrames();
    private final BatchFrames cleaning = new BatchFrames();
    private final TestImage image = new TestImage(REGIONS);
    private final ImageWriter writer = new ImageWriter(image);
    private final ImageWalker walker = new ImageWalker(image, writer);
    private final PageChecksum checksum = new PageChecksum();

    @Override
    public String name() {
        return "batch";
    }

    @Override
    public List<Class<?>> parserClasses() {
        return List.of(PageDecoder.class, ImageWriter.class, Lz4Codec.class);
    }

    @Override
    public boolean parses(String method) {
        return List.of("decode", "apply", "requireLegal", "write").contains(method);
    }

    @Override
    public Map<String, byte[]> seeds() {
        return Map.of("zeros", zeros(), "all-codecs", allCodecs(), "zeros-as-raw", zerosAsRaw(),
                "dependent", dependent());
    }

    static byte[] zeros() {
        BatchFrames sent = new BatchFrames();
        sent.batch.begin(1, 9);
        sent.batch.append(FIRST, PageCodec.ZERO, 0, PageChecksum.OF_ZEROS);
        sent.batch.append(FIRST + 7, PageCodec.ZERO, 0, PageChecksum.OF_ZEROS);
        sent.batch.stamp(2, 1, 1);
        return sent.seal();
    }

    /** Payloads that decode to nothing, of lengths that may be. */
    static byte[] lengths() {
        BatchFrames sent = new BatchFrames();
        sent.batch.begin(1, 9);
        sent.batch.append(FIRST + 3, PageCodec.LZ4, 5, 1);
        sent.batch.append(FIRST + 2, PageCodec.ZERO, 0, PageChecksum.OF_ZEROS);
        sent.batch.append(FIRST + 9, PageCodec.LZ4, 40, 2);
        sent.batch.stamp(2, 1, 1);
        return sent.seal();
    }

    /** A page of zeros that does not come as such is owed, whatever its sum. */
    private static byte[] zerosAsRaw() {
        BatchFrames sent = new BatchFrames();
        sent.batch.begin(1, 9);
        sent.batch.append(FIRST + 4, PageCodec.RAW, PageGeometry.PAGE_SIZE, PageChecksum.OF_ZEROS);
        sent.batch.stamp(2, 1, 1);
        return sent.seal();
    }

    private static byte[] allCodecs() {
        BatchFrames sent = new BatchFrames();
        sent.batch.begin(1, 9);
        ByteBuffer page = ByteBuffer.allocateDirect(PageGeometry.PAGE_SIZE);
        for (int i = 0; i < page.capacity(); i++) {
            page.put(i, (byte) (i * 7));
        }
        int sum = new PageChecksum().of(page, 0);
        sent.batch.append(FIRST + 1, PageCodec.ZERO, 0, PageChecksum.OF_ZEROS);
        int length = new Lz4Codec().encode(page, 0, sent.batch.payloadBuffer(), 0);
        sent.batch.append(FIRST + 2, PageCodec.LZ4, length, sum);
        sent.batch.payloadBuffer().put(length, page, 0, PageGeometry.PAGE_SIZE);
        sent.batch.append(FIRST + 3, PageCodec.RAW, PageGeometry.PAGE_SIZE, sum);
        sent.batch.stamp(2, 1, 1);
        return sent.seal();
    }

    /** A block of two pages, and a difference to a page that is not there. */
    private static byte[] dependent() {
        BatchFrames sent = new BatchFrames();
        sent.batch.begin(1, 9);
        ByteBuffer pages = ByteBuffer.allocateDirect(2 * PageGeometry.PAGE_SIZE);
        pages.put(5, (byte) 1).put(PageGeometry.PAGE_SIZE, (byte) 2);
        PageChecksum sum = new PageChecksum();
        sent.batch.append(FIRST + 6, PageCodec.ZSTD, 0, sum.of(pages, 0));
        int length = new Lz4Codec().encode(pages, 0, sent.batch.payloadBuffer(), 0);
        sent.batch.append(FIRST + 5, PageCodec.DELTA, length, sum.of(pages, 0));
        sent.batch.refer(PageChecksum.OF_ZEROS);
        ByteBuffer frame = ByteBuffer.allocateDirect(ZstdCodec.frameRoom());
        try (ZstdCodec zstd = new ZstdCodec()) {
            int block = zstd.encode(pages, 2, frame);
            sent.batch.payloadBuffer().put(length, frame, 0, block);
            sent.batch.append(FIRST + 7, PageCodec.ZSTD, block,
                    sum.of(pages, PageGeometry.PAGE_SIZE));
        }
        sent.batch.stamp(2, 1, 1);
        return sent.seal();
    }

    @Override
    public void seal(byte[] bytes) {
        seals.pages(bytes);
    }

    @Override
    public boolean take(int choice, byte[] bytes) {
        PageBatch batch = frames.batch;
        if (!DirectoryTarget.received(bytes, 1, frames) || batch.region() != 1) {
            return false;
        }
        for (int i = 0; i < batch.count(); i++) {
            if (PageBatch.pageOf(batch.descriptorAt(i)) >= FIRST + PAGES) {
                return false;
            }
        }
        boolean taken = applied(batch);
        int[] last = new int[PAGES];
        Arrays.fill(last, -1);
        for (int i = 0; taken && i < batch.count(); i++) {
            last[(int) (PageBatch.pageOf(batch.descriptorAt(i)) - FIRST)] = i;
        }
        long[] owed = walker.takeUnnamed(PAGES);
        require(owed.length == walker.owedPages(), "owed pages that are not named");
        for (int i = 0; taken && i < PAGES; i++) {
            holds(batch, last[i], FIRST + i, Arrays.binarySearch(owed, FIRST + i) >= 0);
        }
        makeGood();
        return taken;
    }

    private boolean applied(PageBatch batch) {
        boolean legal = true;
        try {
            writer.apply(batch);
        } catch (PageDecodeException e) {
            legal = false;
        }
        long[] descriptors = new long[batch.count()];
        for (int i = 0; i < descriptors.length; i++) {
            descriptors[i] = batch.descriptorAt(i);
        }
        walker.readBack(descriptors, descriptors.length);
        require(walker.proveWritten(PAGES), "a page cannot be read back");
        return legal;
    }

    /** What is in the image, by another way than the walker's. */
    private void holds(PageBatch batch, int entry, long page, boolean owed) {
        byte[] bytes = image.read(page);
        boolean zero = Arrays.equals(bytes, ZEROS);
        if (entry < 0) {
            require(zero && !owed, "page " + page + " was touched, or is owed");
            return;
        }
        boolean sent = checksum.of(ByteBuffer.wrap(bytes), 0) == batch.checksumAt(entry)
                && zero == (PageBatch.codecOf(batch.descriptorAt(entry)) == PageCodec.ZERO);
        require(sent != owed, "page " + page + (owed ? " is owed, though it is what was sent"
                : " is not what its directory says, and not owed"));
    }

    /** All pages once more, as zeros: nothing is owed then, and the next input finds nothing. */
    private void makeGood() {
        cleaning.batch.begin(1, 1);
        for (int i = 0; i < PAGES; i++) {
            cleaning.batch.append(FIRST + i, PageCodec.ZERO, 0, PageChecksum.OF_ZEROS);
        }
        require(applied(cleaning.batch) && walker.owedPages() == 0, "zeros do not make good");
    }
}
