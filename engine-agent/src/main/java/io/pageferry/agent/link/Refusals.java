package io.pageferry.agent.link;

import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Counts connections that were refused. A stranger can have a thousand of them refused in a
 * second: one line a second tells of all. Safe for any thread.
 */
public final class Refusals {
    private static final long PAUSE_NANOS = 1_000_000_000L;

    private long count;
    private String last;
    private long next;
    private boolean told;

    /**
     * Notes one.
     *
     * @param line who was refused, and why
     */
    public synchronized void add(String line) {
        count++;
        last = line;
    }

    /**
     * Notes those of which nobody else takes the lines.
     *
     * @param log   gets a line a second at most
     * @param clock monotonic nanoseconds
     * @return takes who was refused, and why; any thread
     */
    public static Consumer<String> loggedTo(Consumer<String> log, LongSupplier clock) {
        Refusals refusals = new Refusals();
        return line -> {
            refusals.add(line);
            refusals.poll(clock.getAsLong()).ifPresent(log);
        };
    }

    /**
     * Takes what is to be logged now.
     *
     * @param now monotonic nanoseconds
     * @return one line; empty where nothing was refused since the last one, or that one was less
     *         than a second ago
     */
    public synchronized Optional<String> poll(long now) {
        return told && now - next < 0 ? Optional.empty() : take(now);
    }

    /**
     * Takes what was not logged yet, as the last word.
     *
     * @param now monotonic nanoseconds
     * @return one line; empty where nothing was refused since the last one
     */
    public synchronized Optional<String> take(long now) {
        if (count == 0) {
            return Optional.empty();
        }
        String line = "refused " + last + (count == 1 ? "" : ", and " + (count - 1)
                + " others before it");
        count = 0;
        told = true;
        next = now + PAUSE_NANOS;
        return Optional.of(line);
    }
}
