package io.pageferry.agent.host.disk.nbd;

import io.pageferry.agent.host.disk.Disk;
import java.util.BitSet;

/**
 * Which runs of 1 MiB of an export may hold data: as its server said once, and with what was
 * written since. The others read as zeros. Safe for any thread.
 */
final class DataMap {
    private static final int RUN = Disk.RUN_BYTES;

    private final BitSet runs = new BitSet();

    /** Notes that a range may hold data. */
    synchronized void add(long offset, long bytes) {
        runs.set(runOf(offset), runOf(offset + bytes - 1) + 1);
    }

    /** Returns whether anything of a range may hold data. */
    synchronized boolean has(long offset, long bytes) {
        int next = runs.nextSetBit(runOf(offset));
        return next >= 0 && next <= runOf(offset + bytes - 1);
    }

    /** Returns the first offset from one on that may hold data, or the end. */
    synchronized long nextData(long offset, long end) {
        long run = runs.nextSetBit(runOf(offset));
        return run < 0 ? end : Math.min(end, Math.max(offset, run * RUN));
    }

    /** Returns the first offset from one on that reads as zeros, or the end. */
    synchronized long nextHole(long offset, long end) {
        return Math.min(end, Math.max(offset, (long) runs.nextClearBit(runOf(offset)) * RUN));
    }

    private static int runOf(long offset) {
        return (int) (offset / RUN);
    }
}
