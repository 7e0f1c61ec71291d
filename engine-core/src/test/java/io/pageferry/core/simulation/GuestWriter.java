package io.pageferry.core.simulation;

import io.pageferry.core.testing.ManualClock;
import io.pageferry.core.testing.TestGate;
import io.pageferry.core.testing.TestGuest;
import java.util.Random;

/** How a simulated guest writes its pages. */
final class GuestWriter {
    /** The patterns. */
    enum Pattern {
        /** Any page as likely as any other. */
        UNIFORM,
        /** Few pages often, most of them seldom. */
        ZIPF,
        /** One page after another, round and round. */
        SWEEP,
        /** A working set that moves, and times without a write. */
        PHASES,
        /** Nothing for long, then much at once. */
        BURSTS
    }

    private final TestGuest guest;
    private final Random random;
    private final Pattern pattern;
    private final int pages;
    private final int rate;
    private final TestGate gate;
    private final ManualClock clock;
    private int step;
    private int next;
    private long period;
    private long writesOfPeriod;

    GuestWriter(TestGuest guest, Random random, TestGate gate, ManualClock clock) {
        this.guest = guest;
        this.gate = gate;
        this.clock = clock;
        this.random = random;
        this.pages = guest.workload().pages();
        this.pattern = Pattern.values()[random.nextInt(Pattern.values().length)];
        this.rate = random.nextInt(4);
    }

    Pattern pattern() {
        return pattern;
    }

    /** One step of a guest that runs, unless the throttle takes it. */
    void step() {
        if (gate.percent() > 0 && random.nextInt(100) < gate.percent()) {
            return;
        }
        step++;
        switch (pattern) {
            case UNIFORM -> write(rate, 0, pages);
            case ZIPF -> {
                for (int i = 0; i < rate; i++) {
                    write((int) Math.pow(pages, random.nextDouble()) - 1);
                }
            }
            case SWEEP -> {
                for (int i = 0; i < rate; i++) {
                    next = (next + 1) % pages;
                    write(next);
                }
            }
            case PHASES -> {
                int phase = step / 25;
                if (phase % 3 != 2) {
                    int set = Math.max(1, pages / 4);
                    write(rate, phase * set % (pages - set + 1), set);
                }
            }
            case BURSTS -> {
                if (random.nextInt(40) == 0) {
                    write(rate * 8, 0, pages);
                }
            }
        }
    }

    private void write(int count, int first, int among) {
        for (int i = 0; i < count; i++) {
            write(first + random.nextInt(among));
        }
    }

    private void write(int page) {
        if (gate.quota() != null) {
            long now = clock.nanoTime() / gate.quota().periodNanos();
            writesOfPeriod = now == period ? writesOfPeriod + 1 : 1;
            period = now;
            if (writesOfPeriod > gate.quota().writes()) {
                return;
            }
        }
        guest.writePage(page);
    }
}
