package io.pageferry.transport.wire;

import io.pageferry.core.codec.PageBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A batch in memory laid out as a slot is: frame header, batch header, payload, descriptors. */
final class BatchFrames {
    static final int BODY = WireLimits.FRAME_HEADER_BYTES;
    static final int PAYLOAD = BODY + WireLimits.BATCH_HEADER_BYTES;

    final MemorySegment memory = Arena.ofAuto().allocate(BODY + WireLimits.MAX_BATCH_BODY, 8);
    final ByteBuffer view = memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    final PageBatch batch = new PageBatch(memory.asSlice(PAYLOAD, PageBatch.PAYLOAD_CAPACITY));

    /** Completes and seals it; gives the whole frame. */
    byte[] seal() {
        int body = PageBatchWriter.write(batch, view, BODY);
        FrameHeader.begin(view, 0, MessageType.BATCH.number(), body);
        new FrameHeader.Sealer().seal(view, 0);
        byte[] frame = new byte[BODY + body];
        view.get(0, frame);
        return frame;
    }

    /** Three pages of region 1: zero, raw and a short one. */
    static BatchFrames sample() {
        BatchFrames frames = new BatchFrames();
        PageBatch batch = frames.batch;
        batch.begin(1, 9);
        batch.append(256, 1, 0);
        for (int i = 0; i < 4096; i++) {
            frames.view.put(PAYLOAD + i, (byte) (i * 7));
        }
        batch.append(257, 2, 4096);
        frames.view.putInt(PAYLOAD + 4096, 0x04030201);
        batch.append(700, 3, 4);
        batch.stamp(2, 1, 1);
        return frames;
    }

    /** Does with a first frame what a receiver of channel 1 in generation 2 does. */
    static BatchFrames receive(byte[] frame, long credit) throws WireException {
        return receive(frame, credit, new BatchFrames());
    }

    static BatchFrames receive(byte[] frame, long credit, BatchFrames frames)
            throws WireException {
        FrameVerifier verifier = new FrameVerifier();
        frames.view.put(0, frame);
        verifier.header(frames.view, 0);
        if (verifier.bodyLength() != frame.length - BODY) {
            throw WireException.violation("frame body length", "not what arrived");
        }
        verifier.body(frames.view, BODY);
        new PageBatchReader(Samples.REGIONS, 2, 1)
                .read(frames.view, BODY, verifier.bodyLength(), credit, frames.batch);
        return frames;
    }
}
