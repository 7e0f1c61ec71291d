package io.pageferry.agent.e2e;

import io.pageferry.core.link.Message;
import io.pageferry.transport.wire.FrameHeader;
import io.pageferry.transport.wire.MessageCodec;
import io.pageferry.transport.wire.MessageType;
import io.pageferry.transport.wire.WireException;
import io.pageferry.transport.wire.WireLimits;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * A cable that makes a liar of its source: one frame, at a place drawn from a seed, says something
 * else, with right numbers and sums, so that nothing but its sense is wrong. All later ones are
 * carried as they are.
 */
final class LyingCable extends FrameCable {
    private static final int HEADER = WireLimits.FRAME_HEADER_BYTES;
    private static final int SUMMED = 20;
    private static final int TRIES = 50;

    /** A source's first word on each of its connections. */
    private static final Set<MessageType> OPENINGS = Set.of(MessageType.HELLO, MessageType.RESUME,
            MessageType.CHANNEL_HELLO, MessageType.STATUS);

    private final Random random;

    // Guarded by this.
    private final Map<OutputStream, FrameHeader.Sealer> sealers = new IdentityHashMap<>();
    private final List<byte[]> earlier = new ArrayList<>();
    private int honest;
    private String lie = "";

    /** What is done to the frame. */
    enum Lie { CHANGED, TWICE, LEFT_OUT, EARLIER_ONE }

    /**
     * Lays the cable.
     *
     * @param address of the target
     * @param random  where it lies, and how
     * @param most    frames of the source before it at most
     */
    LyingCable(String address, Random random, int most) throws IOException {
        super(address);
        this.random = random;
        this.honest = random.nextInt(most);
    }

    /** {@return what was done to which frame; empty where the session ended before} */
    synchronized String lie() {
        return lie;
    }

    @Override
    synchronized void frame(int type, byte[] frame, OutputStream to) throws IOException {
        if (OPENINGS.contains(MessageType.of(type))) {
            sealers.putIfAbsent(to, new FrameHeader.Sealer());
        }
        if (!sealers.containsKey(to)) {
            to.write(frame); // the target's
            return;
        }
        if (MessageType.of(type) != MessageType.HEARTBEAT && honest-- == 0) {
            Lie drawn = Lie.values()[random.nextInt(earlier.isEmpty() ? 3 : 4)];
            lie = drawn + " " + MessageType.of(type);
            switch (drawn) {
                case CHANGED -> send(changed(type, frame), to);
                case TWICE -> {
                    send(frame.clone(), to);
                    send(frame, to);
                }
                case EARLIER_ONE -> send(earlier.get(random.nextInt(earlier.size())), to);
                default -> { }
            }
        } else {
            earlier.add(frame.clone());
            send(frame, to);
        }
    }

    private void send(byte[] frame, OutputStream to) throws IOException {
        sealers.get(to).seal(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN), 0);
        to.write(frame);
    }

    private byte[] changed(int type, byte[] frame) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN);
        if (MessageType.of(type) == MessageType.BATCH) {
            // Of its header and directory: what lies behind is proved page by page.
            int at = HEADER + random.nextInt(bytes.getInt(SUMMED));
            frame[at] = (byte) List.of(0, 1, 255, 127, frame[at] + 1, frame[at] - 1)
                    .get(random.nextInt(6)).intValue();
            return frame;
        }
        Message message;
        try {
            message = MessageCodec.decode(MessageType.of(type),
                    bytes.slice(HEADER, frame.length - HEADER).order(ByteOrder.LITTLE_ENDIAN));
        } catch (WireException e) {
            throw new IOException("an honest source's " + Arrays.toString(frame), e);
        }
        for (int i = 0; i < TRIES; i++) {
            Message other = (Message) new LyingRecord(random).of((Record) message);
            try {
                byte[] made = MessageCodec.encode(other);
                lie += " " + other;
                return made;
            } catch (IllegalArgumentException e) {
                continue; // a value that cannot be said at all
            }
        }
        return frame;
    }
}
