package io.pageferry.transport.wire;

import static io.pageferry.transport.wire.WireTargets.require;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.testing.fuzz.FuzzTarget;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Header and directory of a batch. What is taken stays in its region and in its payload. */
final class DirectoryTarget implements FuzzTarget {
    private final Seals seals = new Seals();
    private final BatchFrames frames = new BatchFrames();

    @Override
    public String name() {
        return "directory";
    }

    @Override
    public List<Class<?>> parserClasses() {
        return List.of(PageBatchReader.class);
    }

    @Override
    public Map<String, byte[]> seeds() {
        return Map.of("zeros", BatchTarget.zeros(), "lengths", BatchTarget.lengths());
    }

    @Override
    public void seal(byte[] bytes) {
        seals.batch(bytes);
    }

    /** The choice is the credit, but that 0 is credit for one batch and 1 is none. */
    @Override
    public boolean take(int choice, byte[] bytes) {
        if (!received(bytes, choice ^ 1, frames)) {
            return false;
        }
        PageBatch got = frames.batch;
        RegionTable regions = Samples.REGIONS;
        require(got.count() >= 1 && got.count() <= PageBatch.MAX_PAGES, "count " + got.count());
        int sum = 0;
        for (int i = 0; i < got.count(); i++) {
            long page = PageBatch.pageOf(got.descriptorAt(i));
            require(page < regions.pageCount() && got.region() == regions.regionOf(page),
                    "page " + page + " of region " + got.region());
            require(PageBatch.codecOf(got.descriptorAt(i)) != 0, "codec 0");
            sum += PageBatch.lengthOf(got.descriptorAt(i));
        }
        require(sum == got.payloadBytes() && sum <= PageBatch.PAYLOAD_CAPACITY, "bytes " + sum);
        require(got.generation() == 2 && got.channel() == 1 && got.sequence() == 1, "place");
        byte[] again = frames.seal();
        require(Arrays.equals(bytes, again), "the batch is written otherwise");
        return true;
    }

    /** Whether a receiver takes it; what is no whole frame of a batch never comes to it. */
    static boolean received(byte[] bytes, long credit, BatchFrames into) {
        if (bytes.length < WireLimits.FRAME_HEADER_BYTES
                || Samples.little(bytes).getInt(0) != MessageType.BATCH.number()) {
            return false;
        }
        try {
            BatchFrames.receive(bytes, credit, into);
            return true;
        } catch (WireException e) {
            return false;
        }
    }
}
