package io.pageferry.agent.host.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Stranger;
import java.io.IOException;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The same with a kernel that really holds threads. */
@Tag("timing")
abstract class RealCpuLimiterContract extends CpuLimiterContract {
    private static final long WATCHED_NANOS = 400_000_000;

    private Spinner spinner;

    final Spinner spinner() throws IOException {
        if (spinner == null) {
            spinner = Spinner.start();
        }
        return spinner;
    }

    @Override
    final ThrottledProcess throttled() throws IOException {
        return spinner().throttled();
    }

    @Override
    final long first() throws IOException {
        return spinner().first();
    }

    @Override
    final long second() throws IOException {
        return spinner().second();
    }

    @AfterAll
    @Override
    final void kill() {
        if (spinner != null) {
            spinner.close();
            spinner = null;
        }
    }

    /** Other processes make it less than what is left to it: a fifth of what they leave. */
    @Test
    void aHeldThreadGetsItsShareAtMost() throws IOException {
        limiter().apply(Set.of(first()), 100 - (int) (20 * spinner().share(first())));
        awaitHeld(limiter(), first());
        long heldBefore = limiter().heldNanos(first());
        long usedBefore = spinner().usedNanos(first());
        long begin = System.nanoTime();
        Stranger.await("time to pass", () -> System.nanoTime() - begin >= WATCHED_NANOS);
        long used = spinner().usedNanos(first()) - usedBefore;
        long held = limiter().heldNanos(first()) - heldBefore;
        long passed = System.nanoTime() - begin;
        assertTrue(used < passed * 0.4, "used " + used + " of " + passed);
        assertTrue(held > passed / 4 && held <= passed * 1.2, "held " + held + " of " + passed);
    }

    @Test
    void oneThatWasLetGoRunsAndIsNotTraced() throws IOException {
        limiter().apply(Set.of(first(), second()), 95);
        awaitHeld(limiter(), second());
        limiter().release();
        long goal = spinner().usedNanos(first()) + 50_000_000;
        Stranger.await("thread to run", () -> {
            try {
                return spinner().usedNanos(first()) >= goal;
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        assertEquals(0, spinner().tracer(first()));
        assertEquals(0, spinner().tracer(second()));
    }
}
