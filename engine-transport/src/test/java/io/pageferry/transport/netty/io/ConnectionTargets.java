package io.pageferry.transport.netty.io;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.codec.page.PageCodec;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.memory.PageChecksum;
import io.pageferry.core.testing.fuzz.FuzzTarget;
import io.pageferry.core.testing.fuzz.FuzzTargets;
import io.pageferry.transport.wire.FrameHeader;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.PageBatchWriter;
import io.pageferry.transport.wire.Preamble;
import io.pageferry.transport.wire.Seals;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * All that comes over a connection, as a socket gives it. Cut into pieces, and with a link that has
 * no room for a while, it means the same as in one piece; every buffer is given back.
 */
public final class ConnectionTargets implements FuzzTargets {
    private static final int WINDOW = 3;

    /** Of device state: more than a decoder has room for to begin with. */
    private static final int LONG = 4500;

    /** Lengths of the pieces, by the choice; the first is all that came. */
    private static final int[] PIECES = {Integer.MAX_VALUE, 1, 2, 7, 15, 16, 31, 32, 33, 47, 48,
        64, 72, 100, 4095, 4096};

    @Override
    public List<FuzzTarget> all() {
        return List.of(new Whole());
    }

    private static final class Whole implements FuzzTarget {
        private final Seals seals = new Seals();
        private final FrameSlots slots = new FrameSlots(WINDOW);

        @Override
        public String name() {
            return "connection";
        }

        @Override
        public List<Class<?>> parserClasses() {
            return List.of(FrameDecoder.class);
        }

        /** Those that Netty calls for something else than bytes are not reached by bytes. */
        @Override
        public boolean parses(String method) {
            return !List.of("channelActive", "channelWritabilityChanged", "channelInactive",
                    "userEventTriggered", "exceptionCaught").contains(method);
        }

        @Override
        public Map<String, byte[]> seeds() {
            return Map.of("messages", stream(false, LONG), "batches", stream(true, 100));
        }

        @Override
        public void seal(byte[] bytes) {
            seals.preamble(bytes);
            seals.frames(bytes, Preamble.BYTES);
        }

        @Override
        public boolean take(int choice, byte[] bytes) {
            Heard atOnce = new Heard(slots, false);
            atOnce.hear(bytes, Integer.MAX_VALUE, false);
            Heard inPieces = new Heard(slots, (choice & 16) != 0);
            inPieces.hear(bytes, PIECES[choice % PIECES.length], true);
            require(atOnce.log.equals(inPieces.log),
                    atOnce.log + " in one piece, else " + inPieces.log);
            return atOnce.log.size() > 2;
        }
    }

    private static byte[] stream(boolean batches, int chunk) {
        FrameHeader.Sealer sealer = new FrameHeader.Sealer();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(Preamble.OURS.encode().array());
        for (Message message : List.of(new Message.ChannelHello(new UUID(1, 2), 1, 0),
                new Message.Heartbeat(7), new Message.StateChunk(1, 0, new byte[chunk]),
                new Message.Failure(ErrorCode.BUSY, "busy"))) {
            byte[] frame = MessageCodec.encode(message);
            sealer.seal(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN), 0);
            all.writeBytes(frame);
            if (batches && message instanceof Message.Heartbeat) {
                all.writeBytes(batch(1, sealer));
                all.writeBytes(batch(2, sealer));
            }
        }
        return all.toByteArray();
    }

    private static byte[] batch(long sequence, FrameHeader.Sealer sealer) {
        try (FrameSlots slots = new FrameSlots(1)) {
            FrameSlots.Slot slot = slots.slots().getFirst();
            PageBatch batch = slot.batch();
            batch.begin(0, 1);
            batch.append(sequence, PageCodec.ZERO, 0, PageChecksum.OF_ZEROS);
            batch.append(sequence + 7, PageCodec.LZ4, 20, 1);
            batch.stamp(1, 0, sequence);
            int start = PageBatchWriter.write(batch, slot.view(), FrameSlots.PAYLOAD);
            sealer.seal(slot.view(), start);
            byte[] frame = new byte[FrameSlots.PAYLOAD + batch.payloadBytes() - start];
            slot.view().get(start, frame);
            return frame;
        }
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
