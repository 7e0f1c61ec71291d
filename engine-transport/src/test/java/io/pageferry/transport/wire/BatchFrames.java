package io.pageferry.transport.wire;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.memory.PageChecksum;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A batch in memory laid out as a slot is: frame header, batch header, directory, payload. */
final class BatchFrames {
    static final int PAYLOAD = WireLimits.FRAME_HEADER_BYTES + WireLimits.BATCH_HEADER_BYTES
            + WireLimits.MAX_DIRECTORY_BYTES;

    final MemorySegment memory =
            Arena.ofAuto().allocate(PAYLOAD + PageBatch.PAYLOAD_CAPACITY, 8);
    final ByteBuffer view = memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    final PageBatch batch = new PageBatch(memory.asSlice(PAYLOAD, PageBatch.PAYLOAD_CAPACITY));

    /** Completes and seals it; gives the whole frame. */
    byte[] seal() {
        int start = PageBatchWriter.write(batch, view, PAYLOAD);
        new FrameHeader.Sealer().seal(view, start);
        byte[] frame = new byte[PAYLOAD - start + batch.payloadBytes()];
        view.get(start, frame);
        return frame;
    }

    /** Completes it in its place, as a receiver has it once its frame was checked. */
    FrameVerifier verified() {
        FrameVerifier verifier = new FrameVerifier();
        try {
            verifier.header(Samples.little(seal()), 0);
        } catch (WireException e) {
            throw new AssertionError(e);
        }
        return verifier;
    }

    /** Where its header begins. */
    int body() {
        return PAYLOAD - PageBatchWriter.directoryEnd(batch);
    }

    /** Three pages of region 1: zero, raw and a short one. */
    static BatchFrames sample() {
        BatchFrames frames = new BatchFrames();
        PageBatch batch = frames.batch;
        batch.begin(1, 9);
        batch.append(256, 1, 0, PageChecksum.OF_ZEROS);
        for (int i = 0; i < 4096; i++) {
            frames.view.put(PAYLOAD + i, (byte) (i * 7));
        }
        batch.append(257, 2, 4096, 0x11223344);
        frames.view.putInt(PAYLOAD + 4096, 0x04030201);
        batch.append(700, 3, 4, 0x55667788);
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
        ByteBuffer arrived = Samples.little(frame);
        verifier.header(arrived, 0);
        if (verifier.bodyLength() != frame.length - WireLimits.FRAME_HEADER_BYTES) {
            throw WireException.violation("frame body length", "not what arrived");
        }
        int start = PAYLOAD - verifier.summedLength() - WireLimits.FRAME_HEADER_BYTES;
        frames.view.put(start, frame);
        verifier.body(frames.view, start + WireLimits.FRAME_HEADER_BYTES);
        new PageBatchReader(Samples.REGIONS, 2, 1).read(frames.view,
                start + WireLimits.FRAME_HEADER_BYTES, verifier, credit, frames.batch);
        return frames;
    }
}
