package io.pageferry.agent.guest.qemu;

import java.time.Duration;

/**
 * Looks now and then whether a QEMU still lives. A duty cycle asks ten thousand times a second; the
 * answer is a few files of /proc, and source and target may share two cores with their guest. One
 * thread.
 */
final class LivenessProbe {
    /** A death is reported so late at most. A question to QEMU after its death is noticed. */
    private static final long INTERVAL_NANOS = 10_000_000;

    /** From the end of its sockets to that of a process it is a few ms, more on a busy host. */
    private static final Duration END = Duration.ofSeconds(1);

    private final QemuProcess process;
    private boolean alive = true;
    private long lookedNanos;

    LivenessProbe(QemuProcess process) {
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

    /** For a QEMU whose monitor hung up: whether it ended, which takes it some ms from there. */
    boolean ends() {
        alive = !process.instance().awaitEnd(END);
        return !alive;
    }
}
