package io.pageferry.agent.e2e;

import io.pageferry.agent.host.linux.Requirements;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Waits for something to become true, and fails with what was true instead. */
public final class Poll {
    static final Duration LIMIT = Requirements.HANG;

    private static final long PAUSE_NANOS = 10_000_000;

    private Poll() {
    }

    /** What is waited for; may fail like the files that it reads. */
    public interface Condition {
        boolean holds() throws IOException;
    }

    public static void until(Condition condition, Supplier<String> instead)
            throws IOException {
        until(LIMIT, condition, instead);
    }

    static void until(Duration limit, Condition condition, Supplier<String> instead)
            throws IOException {
        if (!comes(limit, condition)) {
            throw new AssertionError("after " + limit.toSeconds() + " s: " + instead.get());
        }
    }

    /**
     * Waits for what agents have to do soon. The time for which they wanted to run and did not,
     * because the machine had something else to do, does not count.
     */
    static void soon(Duration limit, Condition condition, String instead, Agent... agents)
            throws IOException {
        long start = System.nanoTime();
        long withheld = withheldNanos(agents);
        until(() -> condition.holds() || System.nanoTime() - start
                - (withheldNanos(agents) - withheld) > limit.toNanos(), () -> instead);
        if (!condition.holds()) {
            throw new AssertionError(instead + " after " + limit + " of " + List.of(agents));
        }
    }

    private static long withheldNanos(Agent... agents) {
        return Stream.of(agents).mapToLong(Agent::withheldNanos).sum();
    }

    /** Waits for a condition; returns whether it came to hold in time. */
    static boolean comes(Duration limit, Condition condition) throws IOException {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() - deadline >= 0) {
                return false;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        return true;
    }
}
