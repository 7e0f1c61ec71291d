package io.pageferry.agent.host.process;

import java.time.Duration;
import java.time.Instant;

/** How long this process has been there. */
public final class ProcessAge {
    private ProcessAge() {
    }

    /**
     * Returns how long this process has run.
     *
     * @return nanoseconds since the start of the process, from the host's clock; 0 where it is
     *         unknown
     */
    public static long nanos() {
        return ProcessHandle.current().info().startInstant()
                .map(start -> Math.max(0, Duration.between(start, Instant.now()).toNanos()))
                .orElse(0L);
    }
}
