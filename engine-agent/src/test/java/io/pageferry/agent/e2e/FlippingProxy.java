package io.pageferry.agent.e2e;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.atomic.AtomicInteger;

/** A cable between two agents that turns one bit of one frame over. */
final class FlippingProxy extends FrameCable {
    /**
     * The frame to hurt.
     *
     * @param type of the frame, which tells which way it goes too
     * @param nth  of that type, from 1, over all connections
     * @param at   byte of the frame, header included
     */
    record Wound(int type, int nth, int at) { }

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
    void frame(int type, byte[] frame, OutputStream to) throws IOException {
        if (type == wound.type() && seen.incrementAndGet() == wound.nth()) {
            frame[wound.at()] ^= 0x10;
            flipped.incrementAndGet();
        }
        to.write(frame);
    }
}
