package io.pageferry.agent.demo;

/**
 * What the test guest does with its memory. Two writers share the work: one checks every page
 * before it overwrites it and is slow (15 to 20 MiB/s at most under TCG), the bulk writer writes
 * 2 MiB in place at a time and checks what it has time for (100 MiB/s under TCG, one vCPU).
 *
 * @param tickMillis between two lines on the console, 1 to 10 000; under TCG it gets 1 ms more
 * @param setMiB working set of the checking writer, at least 1
 * @param rateKiB KiB per second that it overwrites, 0: fills once and rests
 * @param bulkMiB working set of the bulk writer, even, 0: there is none
 * @param bulkRateKiB KiB per second that it overwrites
 * @param random true: pages do not compress; false: text that does
 */
public record GuestLoad(int tickMillis, int setMiB, int rateKiB, int bulkMiB, int bulkRateKiB,
        boolean random) {
    /** 4 MiB/s over 32 MiB, every page checked. */
    public static final GuestLoad LIGHT = new GuestLoad(10, 32, 4 << 10, 0, 0, false);
    /** 12 MiB/s over 64 MiB, every page checked; most of a TCG vCPU. */
    public static final GuestLoad MEDIUM = new GuestLoad(10, 64, 12 << 10, 0, 0, false);
    /** 68 MiB/s over 144 MiB, incompressible. */
    public static final GuestLoad HEAVY = new GuestLoad(10, 16, 4 << 10, 128, 64 << 10, true);

    /** Above this the checking writer alone cannot keep up under TCG. */
    private static final int CHECKED_KIB = 12 << 10;
    /** What the kernel and busybox need beside the working sets; 64 MiB still boots. */
    private static final int SYSTEM_MIB = 96;
    private static final int MAX_MIB = 1 << 20;

    /** Checks the ranges. */
    public GuestLoad {
        require(tickMillis >= 1 && tickMillis <= 10_000, "tick of 1 ms to 10 s");
        require(setMiB >= 1 && setMiB <= MAX_MIB, "working set of 1 MiB to 1 TiB");
        require(bulkMiB >= 0 && bulkMiB <= MAX_MIB && bulkMiB % 2 == 0, "even bulk set in MiB");
        require(rateKiB >= 0 && bulkRateKiB >= 0, "rate of 0 or more");
    }

    private static void require(boolean held, String what) {
        if (!held) {
            throw new IllegalArgumentException("the guest needs a " + what);
        }
    }

    /**
     * A load with a total working set and rate, split between the writers.
     *
     * @param workingSet bytes, rounded up to whole MiB
     * @param bytesPerSecond 0 or more
     * @param random true: pages do not compress
     */
    public static GuestLoad of(long workingSet, long bytesPerSecond, boolean random) {
        int mib = (int) Math.min(MAX_MIB, Math.max(1, (workingSet + (1 << 20) - 1) >> 20));
        int kib = (int) Math.min(Integer.MAX_VALUE, bytesPerSecond >> 10);
        if (kib <= CHECKED_KIB || mib < 4) {
            return new GuestLoad(10, mib, kib, 0, 0, random);
        }
        int checked = Math.min(16, mib / 2 + mib % 2);
        int bulk = (mib - checked) & ~1;
        return new GuestLoad(10, mib - bulk, 4 << 10, bulk, kib - (4 << 10), random);
    }

    /** MiB of RAM that the guest must have at least. */
    public int memoryMiB() {
        return SYSTEM_MIB + (setMiB + bulkMiB) * 11 / 10;
    }

    /** The kernel parameters that the guest's init reads. */
    String kernelParameters() {
        return "pageferry.ticks=" + tickMillis + " pageferry.set=" + setMiB
                + " pageferry.rate=" + rateKiB + " pageferry.bulk=" + bulkMiB
                + " pageferry.bulkrate=" + bulkRateKiB
                + " pageferry.fill=" + (random ? "random" : "text");
    }
}
