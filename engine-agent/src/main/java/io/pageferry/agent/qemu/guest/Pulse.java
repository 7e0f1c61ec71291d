package io.pageferry.agent.qemu.guest;

/**
 * Looks now and then whether a QEMU still lives. A duty cycle asks ten thousand times a second; the
 * answer is a few files of /proc, and source and target may share two cores with their guest. One
 * thread.
 */
final class Pulse {
    /** A death is told so late at most. Nothing that QEMU is asked after it goes unnoticed. */
    private static final long INTERVAL_NANOS = 10_000_000;

    private final QemuProcess process;
    private boolean alive = true;
    private long lookedNanos;

    Pulse(QemuProcess process) {
        this.process = process;
        this.lookedNanos = System.nanoTime() - INTERVAL_NANOS;
    }

    /** Whether it lived when it was last looked at. */
    boolean beats() {
        long now = System.nanoTime();
        if (alive && now - lookedNanos >= INTERVAL_NANOS) {
            alive = process.isAlive();
            lookedNanos = now;
        }
        return alive;
    }
}
