package io.pageferry.agent.guest.qemu.disk;

/**
 * Bounds what all streams of a tunnel send together. QEMU's own limit of a mirror job ends where
 * the job is ready, and what the guest writes is sent as fast as it can be. Any thread.
 */
final class Pace {
    /** A thread that was late catches up on so much and no more. */
    private static final long SLACK_NANOS = 10_000_000L;

    /** Of 100: frames, TCP and IP want room beside what a stream carries. */
    private static final long SHARE = 96;

    private long bytesPerSecond;
    private long freeNanos;

    /** Says what is allowed from now on; 0 for no bound. */
    synchronized void limit(long newBytesPerSecond, long nowNanos) {
        bytesPerSecond = newBytesPerSecond;
        freeNanos = nowNanos;
    }

    /** Whether something may be sent now. */
    synchronized boolean isFree(long nowNanos) {
        return bytesPerSecond == 0 || nowNanos - freeNanos >= 0;
    }

    /** Counts what was sent. */
    synchronized void took(int bytes, long nowNanos) {
        if (bytesPerSecond > 0) {
            long earliest = nowNanos - SLACK_NANOS;
            long from = freeNanos - earliest < 0 ? earliest : freeNanos;
            freeNanos = from + bytes * 100_000_000_000L / (bytesPerSecond * SHARE);
        }
    }
}
