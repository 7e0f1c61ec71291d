package io.pageferry.agent.e2e;

import java.io.IOException;
import java.io.OutputStream;

/**
 * A cable that is pulled by a chosen frame, which gets lost: the moment depends on what was sent
 * and not on how fast. Once it is plugged in again it carries everything.
 */
final class CutAtFrame extends FrameCable {
    /** Types of docs/PROTOCOL.md §7. */
    static final int BATCH = 0x10;
    static final int READY = 0x23;
    static final int REFUSED = 0x29;
    static final int RETURNED = 0x2a;

    private final int type;

    // Guarded by this.
    private int left;

    /**
     * Lays the cable.
     *
     * @param address of the target
     * @param type    of the frame
     * @param nth     of that type, from 1, over all connections
     */
    CutAtFrame(String address, int type, int nth) throws IOException {
        super(address);
        this.type = type;
        this.left = nth;
    }

    /** Waits until it is pulled. */
    void awaitCut(Agent sender) throws IOException {
        Poll.until(this::isCut, () -> "no frame " + Integer.toHexString(type) + " of " + sender);
    }

    private synchronized boolean isCut() {
        return left <= 0;
    }

    @Override
    void frame(int type, byte[] frame, OutputStream to) throws IOException {
        if (!pulls(type)) {
            to.write(frame);
        }
    }

    private synchronized boolean pulls(int type) throws IOException {
        boolean now = type == this.type && left > 0 && --left == 0;
        if (now) {
            pull();
        }
        return now;
    }
}
