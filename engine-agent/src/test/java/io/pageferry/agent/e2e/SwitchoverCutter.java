package io.pageferry.agent.e2e;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Random;

/**
 * A cable that is cut once, in the switch-over, at a point drawn from a seed: in a frame of a
 * drawn type, somewhere between its first byte and its end. Later connections are carried.
 */
final class SwitchoverCutter extends FrameCable {
    /** Frames from the pause to the farewell, docs/PROTOCOL.md §7. */
    enum Where {
        SWITCHOVER(0x20), BATCH(0x10), STATE_CHUNK(0x21), COMPLETE(0x22), READY(0x23), GRANT(0x27),
        RUNNING(0x28), FAREWELL(0x33);

        private final int type;

        Where(int type) {
            this.type = type;
        }
    }

    private final Where where;
    private final double part;

    // Guarded by this.
    private boolean paused;
    private int cuts;

    SwitchoverCutter(String address, Random random) throws IOException {
        super(address);
        this.where = Where.values()[random.nextInt(Where.values().length)];
        // The edges as often as what lies between: nothing of it arrives, or all of it.
        this.part = Math.clamp(random.nextDouble(-0.5, 1.5), 0, 1);
    }

    Where where() {
        return where;
    }

    /** {@return how often it was cut: 0 or 1} */
    synchronized int cuts() {
        return cuts;
    }

    @Override
    void frame(int type, byte[] frame, OutputStream to) throws IOException {
        if (isHere(type)) {
            to.write(frame, 0, (int) (part * frame.length));
            to.flush();
            cut(part < 1);
        } else {
            to.write(frame);
        }
    }

    private synchronized boolean isHere(int type) {
        paused |= type == Where.SWITCHOVER.type;
        boolean late = where == Where.BATCH && type == Where.COMPLETE.type;
        boolean here = cuts == 0 && paused && (type == where.type || late);
        if (here) {
            cuts++;
        }
        return here;
    }

    @Override
    public String toString() {
        return "cut in " + where + " at " + part;
    }
}
