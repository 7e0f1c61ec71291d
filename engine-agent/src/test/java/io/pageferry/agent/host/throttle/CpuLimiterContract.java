package io.pageferry.agent.host.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Stranger;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What every brake does, whichever means of the kernel it uses. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class CpuLimiterContract {
    /** Of no thread: beyond what the kernel gives out (pid_max is 2^22 at most). */
    static final long NOBODY = (1 << 22) + 1;

    private static final long MORE_NANOS = 20_000_000;

    final CpuLimiter limiter() throws IOException {
        if (made == null) {
            made = make();
        }
        return made;
    }

    private CpuLimiter made;

    /** Makes one for the process of {@link #throttled}. */
    abstract CpuLimiter make() throws IOException;

    abstract ThrottledProcess throttled() throws IOException;

    /** A thread that never rests. */
    abstract long first() throws IOException;

    /** Another one. */
    abstract long second() throws IOException;

    /** Fails where anything of a brake is left anywhere. */
    abstract void assertNothingLeft() throws IOException;

    /** Ends the process, whose threads are made anew for the next test. */
    abstract void kill() throws IOException;

    @AfterEach
    final void letGo() throws IOException {
        if (made != null) {
            made.release();
            made = null;
            assertNothingLeft();
        }
    }

    final String place(long thread) throws IOException {
        return Files.readString(throttled().task(thread).resolve("cgroup"));
    }

    final void awaitHeld(CpuLimiter limiter, long thread) {
        long goal = limiter.heldNanos(thread) + MORE_NANOS;
        Stranger.await("thread to be held", () -> limiter.heldNanos(thread) >= goal);
    }

    @Test
    void onlyThoseNamedAreHeld() throws IOException {
        String other = place(second());
        String main = place(throttled().pid());
        limiter().apply(Set.of(first()), 90);
        awaitHeld(limiter(), first());
        assertEquals(0, limiter().heldNanos(second()));
        assertEquals(other, place(second()));
        assertEquals(main, place(throttled().pid()));
    }

    @Test
    void anotherListLetsTheFirstGo() throws IOException {
        String home = place(first());
        limiter().apply(Set.of(first(), second()), 80);
        awaitHeld(limiter(), first());
        awaitHeld(limiter(), second());
        limiter().apply(Set.of(second()), 80);
        awaitHeld(limiter(), second());
        assertEquals(home, place(first()));
        long before = limiter().heldNanos(first());
        awaitHeld(limiter(), second());
        assertEquals(before, limiter().heldNanos(first()));
    }

    @Test
    void zeroHoldsNobodyAndItMayBeHeldAgain() throws IOException {
        limiter().apply(Set.of(first(), second()), 90);
        awaitHeld(limiter(), first());
        limiter().apply(Set.of(first(), second()), 0);
        limiter().apply(Set.of(second()), 50);
        awaitHeld(limiter(), second());
        long before = limiter().heldNanos(first());
        limiter().apply(Set.of(first()), 50);
        awaitHeld(limiter(), first());
        assertTrue(limiter().heldNanos(first()) > before);
    }

    @Test
    void releaseLeavesNothingAndKeepsTheAccount() throws IOException {
        String home = place(first());
        limiter().apply(Set.of(first()), 90);
        awaitHeld(limiter(), first());
        limiter().release();
        assertNothingLeft();
        assertEquals(home, place(first()));
        long held = limiter().heldNanos(first());
        assertTrue(held >= MORE_NANOS, "held " + held);
        limiter().release();
        limiter().apply(Set.of(first()), 90);
        awaitHeld(limiter(), first());
        limiter().release();
        assertTrue(limiter().heldNanos(first()) >= held + MORE_NANOS);
    }

    @Test
    void oneThatEndedIsPassedOver() throws IOException {
        limiter().apply(Set.of(NOBODY, first()), 80);
        awaitHeld(limiter(), first());
        assertEquals(0, limiter().heldNanos(NOBODY));
    }

    @Test
    void aProcessThatEndsWhileItIsHeldLeavesNothing() throws IOException {
        long ended = first();
        limiter().apply(Set.of(ended, second()), 90);
        awaitHeld(limiter(), ended);
        long held = limiter().heldNanos(ended);
        kill();
        limiter().release();
        assertNothingLeft();
        assertTrue(limiter().heldNanos(ended) >= held);
    }
}
