package io.pageferry.transport.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Each check of docs/PROTOCOL.md §8, by a batch that breaks just that. */
class PageBatchReaderTest {
    private static String refusal(Consumer<BatchFrames> change) {
        BatchFrames frames = BatchFrames.sample();
        FrameVerifier verified = frames.verified();
        change.accept(frames);
        WireException e = assertThrows(WireException.class,
                () -> new PageBatchReader(Samples.REGIONS, 2, 1)
                        .read(frames.view, frames.body(), verified, 1, new BatchFrames().batch));
        assertEquals(ErrorCode.PROTOCOL_VIOLATION, e.code());
        return e.field();
    }

    private static Consumer<BatchFrames> putLong(int at, long value) {
        return frames -> frames.view.putLong(frames.body() + at, value);
    }

    private static Consumer<BatchFrames> putInt(int at, int value) {
        return frames -> frames.view.putInt(frames.body() + at, value);
    }

    private static Consumer<BatchFrames> putShort(int at, int value) {
        return frames -> frames.view.putShort(frames.body() + at, (short) value);
    }

    private static Consumer<BatchFrames> descriptor(int index, long descriptor) {
        return putLong(WireLimits.BATCH_HEADER_BYTES + 16 * index, descriptor);
    }

    @Test
    void anOldOrFutureGenerationIsRefused() {
        assertEquals("batch generation", refusal(putLong(0, 1)));
        assertEquals("batch generation", refusal(putLong(0, 3)));
    }

    @Test
    void aGapARepeatAndAnOverrunAreRefused() {
        assertEquals("batch sequence", refusal(putLong(8, 0)));
        assertEquals("batch sequence", refusal(putLong(8, 2)));
        BatchFrames frames = BatchFrames.sample();
        assertEquals("batch sequence", assertThrows(WireException.class,
                () -> BatchFrames.receive(frames.seal(), 0)).field());
    }

    @Test
    void anotherChannelRoundOrRegionIsRefused() {
        assertEquals("batch channel", refusal(putShort(28, 0)));
        assertEquals("batch round", refusal(putLong(16, -1)));
        assertEquals("batch region", refusal(putInt(24, 2)));
        assertEquals("batch region", refusal(putInt(24, -1)));
        assertEquals("batch page 0", refusal(putInt(24, 0)));
    }

    @Test
    void countsAndLengthsThatDoNotAddUpAreRefused() {
        assertEquals("batch count", refusal(putShort(30, 0)));
        assertEquals("batch count", refusal(putShort(30, 1025)));
        assertEquals("batch count", refusal(putShort(30, 0xffff)));
        assertEquals("batch body length", refusal(putShort(30, 4)));
        assertEquals("batch payload bytes", refusal(putInt(32, -1)));
        assertEquals("batch payload bytes", refusal(putInt(32, PageBatch.PAYLOAD_CAPACITY + 1)));
        assertEquals("batch body length", refusal(putInt(32, 4099)));
        assertEquals("batch reserved", refusal(putInt(36, 1)));
    }

    @Test
    void pagesOutsideTheRegionAndImpossibleLengthsAreRefused() {
        assertEquals("batch page 1", refusal(descriptor(1, PageBatch.descriptor(255, 2, 4096))));
        assertEquals("batch page 1",
                refusal(descriptor(1, PageBatch.descriptor(256 + 1536, 2, 4096))));
        assertEquals("batch page 1", refusal(descriptor(1, PageBatch.descriptor(257, 0, 4096))));
        assertEquals("batch page 1", refusal(descriptor(1, PageBatch.descriptor(257, 2, 4097))));
        assertEquals("batch payload bytes",
                refusal(descriptor(1, PageBatch.descriptor(257, 2, 4095))));
        assertEquals("batch page 1", refusal(putInt(WireLimits.BATCH_HEADER_BYTES + 28, 1)),
                "a reference of a codec that has none");
    }
}
