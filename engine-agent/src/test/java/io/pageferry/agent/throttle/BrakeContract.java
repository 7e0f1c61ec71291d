package io.pageferry.agent.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.linux.Stranger;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** What every brake does, whichever means of the kernel it uses. */
@Timeout(60)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class BrakeContract {
    /** Of no thread: beyond what the kernel gives out (pid_max is 2^22 at most). */
    static final long NOBODY = (1 << 22) + 1;

    private static final long MORE_NANOS = 20_000_000;

    final Brake brake() throws IOException {
        if (made == null) {
            made = make();
        }
        return made;
    }

    private Brake made;

    /** Makes one for the process of {@link #subject}. */
    abstract Brake make() throws IOException;

    abstract Subject subject() throws IOException;

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
        return Files.readString(subject().task(thread).resolve("cgroup"));
    }

    final void awaitHeld(Brake brake, long thread) {
        long goal = brake.heldNanos(thread) + MORE_NANOS;
        Stranger.await("thread to be held", () -> brake.heldNanos(thread) >= goal);
    }

    @Test
    void onlyThoseNamedAreHeld() throws IOException {
        String other = place(second());
        String main = place(subject().pid());
        brake().apply(Set.of(first()), 90);
        awaitHeld(brake(), first());
        assertEquals(0, brake().heldNanos(second()));
        assertEquals(other, place(second()));
        assertEquals(main, place(subject().pid()));
    }

    @Test
    void anotherListLetsTheFirstGo() throws IOException {
        String home = place(first());
        brake().apply(Set.of(first(), second()), 80);
        awaitHeld(brake(), first());
        awaitHeld(brake(), second());
        brake().apply(Set.of(second()), 80);
        awaitHeld(brake(), second());
        assertEquals(home, place(first()));
        long before = brake().heldNanos(first());
        awaitHeld(brake(), second());
        assertEquals(before, brake().heldNanos(first()));
    }

    @Test
    void zeroHoldsNobodyAndItMayBeHeldAgain() throws IOException {
        brake().apply(Set.of(first(), second()), 90);
        awaitHeld(brake(), first());
        brake().apply(Set.of(first(), second()), 0);
        brake().apply(Set.of(second()), 50);
        awaitHeld(brake(), second());
        long before = brake().heldNanos(first());
        brake().apply(Set.of(first()), 50);
        awaitHeld(brake(), first());
        assertTrue(brake().heldNanos(first()) > before);
    }

    @Test
    void releaseLeavesNothingAndKeepsTheAccount() throws IOException {
        String home = place(first());
        brake().apply(Set.of(first()), 90);
        awaitHeld(brake(), first());
        brake().release();
        assertNothingLeft();
        assertEquals(home, place(first()));
        long held = brake().heldNanos(first());
        assertTrue(held >= MORE_NANOS, "held " + held);
        brake().release();
        brake().apply(Set.of(first()), 90);
        awaitHeld(brake(), first());
        brake().release();
        assertTrue(brake().heldNanos(first()) >= held + MORE_NANOS);
    }

    @Test
    void oneThatEndedIsPassedOver() throws IOException {
        brake().apply(Set.of(NOBODY, first()), 80);
        awaitHeld(brake(), first());
        assertEquals(0, brake().heldNanos(NOBODY));
    }

    @Test
    void aProcessThatEndsWhileItIsHeldLeavesNothing() throws IOException {
        long ended = first();
        brake().apply(Set.of(ended, second()), 90);
        awaitHeld(brake(), ended);
        long held = brake().heldNanos(ended);
        kill();
        brake().release();
        assertNothingLeft();
        assertTrue(brake().heldNanos(ended) >= held);
    }
}
