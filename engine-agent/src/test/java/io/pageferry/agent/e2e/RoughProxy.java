package io.pageferry.agent.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A cable that is hurt at points drawn from a seed: each time so many bytes went through it, the
 * connections of that moment are dropped, cut off in the middle, silent for ever, or one bit is
 * turned over. Later connections are carried again. It knows nothing of the protocol.
 */
final class RoughProxy extends Cable {
    /** What can happen to a cable. */
    enum Harm { DROP, TRUNCATE, CORRUPT, STALL }

    /** Before the first harm: an offer that fails is a refusal, not a lost link. */
    private static final int SAFE_BYTES = 64 << 10;

    private final Random random;
    private final int mostBytes;

    // Guarded by this.
    private final ArrayDeque<Harm> toCome;
    private final List<Harm> done = new ArrayList<>();
    private long untilHarm;
    private int era;

    /**
     * Lays the cable.
     *
     * @param address   of the target
     * @param seed      of all points
     * @param harms     what happens, in this order
     * @param mostBytes between two of them
     */
    RoughProxy(String address, long seed, List<Harm> harms, int mostBytes) throws IOException {
        super(address);
        this.random = new Random(seed);
        this.toCome = new ArrayDeque<>(harms);
        this.mostBytes = mostBytes;
        this.untilHarm = SAFE_BYTES + random.nextInt(mostBytes);
    }

    /** {@return what happened so far} */
    synchronized List<Harm> done() {
        return List.copyOf(done);
    }

    @Override
    void carry(InputStream from, OutputStream to, boolean fromSource) throws IOException {
        int born = era();
        byte[] buffer = new byte[16 << 10];
        for (int bytes = from.read(buffer); bytes >= 0; bytes = from.read(buffer)) {
            int pass = pass(buffer, bytes, born);
            to.write(buffer, 0, Math.abs(pass));
            if (pass < 0) {
                end(false);
            }
        }
    }

    private synchronized int era() {
        return era;
    }

    /** Tells how many of these bytes go on; negative where nothing follows them. */
    private synchronized int pass(byte[] buffer, int bytes, int born) throws IOException {
        if (born < era) {
            return 0;
        }
        untilHarm -= bytes;
        if (untilHarm > 0 || toCome.isEmpty()) {
            return bytes;
        }
        Harm harm = toCome.poll();
        done.add(harm);
        untilHarm = 1 + random.nextInt(mostBytes);
        switch (harm) {
            case CORRUPT -> buffer[random.nextInt(bytes)] ^= (byte) (1 << random.nextInt(8));
            case DROP -> end(true);
            default -> era++;
        }
        return switch (harm) {
            case CORRUPT -> bytes;
            case TRUNCATE -> -Math.max(1, bytes / 2);
            default -> 0;
        };
    }

    private synchronized void end(boolean reset) throws IOException {
        era++;
        cut(reset);
    }
}
