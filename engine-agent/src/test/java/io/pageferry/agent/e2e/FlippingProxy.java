package io.pageferry.agent.e2e;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A cable between two agents that turns one bit of one frame over, and knows no more of the
 * protocol than how long a frame is (docs/PROTOCOL.md §6).
 */
final class FlippingProxy extends Cable {
    private static final int PREAMBLE = 16;
    private static final int HEADER = 32;

    /**
     * The frame to hurt.
     *
     * @param fromSource which way it goes
     * @param type       of the frame
     * @param nth        of that type and direction, from 1, over all connections
     * @param at         byte of the frame, header included
     */
    record Wound(boolean fromSource, int type, int nth, int at) { }

    private final Wound wound;
    private final AtomicInteger seen = new AtomicInteger();
    private final AtomicInteger flipped = new AtomicInteger();

    FlippingProxy(String address, Wound wound) throws IOException {
        super(address);
        this.wound = wound;
    }

    /** {@return how many bits were turned over: 0 or 1} */
    int flipped() {
        return flipped.get();
    }

    @Override
    void carry(InputStream from, OutputStream to, boolean fromSource) throws IOException {
        DataInputStream in = new DataInputStream(from);
        byte[] preamble = new byte[PREAMBLE];
        in.readFully(preamble);
        to.write(preamble);
        while (true) {
            byte[] header = new byte[HEADER];
            try {
                in.readFully(header);
            } catch (EOFException end) {
                return;
            }
            ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
            byte[] frame = new byte[HEADER + fields.getInt(4)];
            System.arraycopy(header, 0, frame, 0, HEADER);
            in.readFully(frame, HEADER, frame.length - HEADER);
            if (fromSource == wound.fromSource() && fields.getInt(0) == wound.type()
                    && seen.incrementAndGet() == wound.nth()) {
                frame[wound.at()] ^= 0x10;
                flipped.incrementAndGet();
            }
            to.write(frame);
        }
    }
}
