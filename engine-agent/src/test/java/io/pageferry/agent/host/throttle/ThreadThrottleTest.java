package io.pageferry.agent.host.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.core.round.WriteThrottle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** The throttle that chooses its brake, with brakes that are told what to do and with real ones. */
@Tag("timing")
@Isolated
class ThreadThrottleTest {
    private static final long MS = 1_000_000;

    private final List<String> done = new ArrayList<>();
    private long now = 1;
    private Set<Long> vcpus = Set.of(11L);
    private IOException silence;

    /** Notes what it is told; fails where it is said to. */
    private final class NotedBrake implements CpuLimiter {
        private final String name;
        private IOException failure;
        private IOException stuck;

        NotedBrake(String name) {
            this.name = name;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public void apply(Set<Long> threads, int percent) throws IOException {
            done.add(name + " " + percent + " " + threads);
            if (failure != null) {
                throw failure;
            }
        }

        @Override
        public long heldNanos(long thread) {
            return 0;
        }

        @Override
        public void release() throws IOException {
            done.add(name + " released");
            if (stuck != null) {
                throw stuck;
            }
        }
    }

    private final NotedBrake first = new NotedBrake("first");
    private final NotedBrake second = new NotedBrake("second");

    private ThreadThrottle throttle() {
        return new ThreadThrottle(new ThrottledProcess(Path.of("/nowhere"), 1, 1), () -> {
            if (silence != null) {
                throw silence;
            }
            return vcpus;
        }, new CpuLimiters(List.of(first, second), "because"), () -> now);
    }

    @Test
    void theFirstThatWorksIsUsedAndTheOthersAreNot() {
        ThreadThrottle throttle = throttle();
        throttle.set(40);
        throttle.set(0);
        throttle.close();
        assertEquals(List.of("first 40 [11]", "first 0 [11]", "first released"), done);
        assertEquals("because", throttle.reason());
        assertTrue(throttle.trouble().isEmpty());
    }

    @Test
    void oneThatFailsIsUndoneAndTheNextIsUsedAndTold() {
        first.failure = new IOException("read-only");
        ThreadThrottle throttle = throttle();
        throttle.set(40);
        throttle.set(60);
        assertEquals(List.of("first 40 [11]", "first released", "second 40 [11]",
                "second 60 [11]"), done);
        assertEquals("second", throttle.name());
        assertTrue(throttle.reason().contains("first failed: read-only"), throttle.reason());
    }

    @Test
    void whereNoneWorksThatIsTold() {
        first.failure = new IOException("read-only");
        second.failure = new IOException("not permitted");
        ThreadThrottle throttle = throttle();
        throttle.set(40);
        assertEquals("second: not permitted", throttle.trouble().orElseThrow());
    }

    @Test
    void whatCannotBeUndoneIsToldUntilItCan() {
        ThreadThrottle throttle = throttle();
        throttle.set(40);
        first.stuck = new IOException("busy");
        throttle.close();
        assertTrue(throttle.trouble().orElseThrow().contains("busy"));
        first.stuck = null;
        throttle.close();
        assertTrue(throttle.trouble().isEmpty());
    }

    @Test
    void vcpusThatComeAndGoAreReadAgain() {
        ThreadThrottle throttle = throttle();
        throttle.set(40);
        vcpus = Set.of(11L, 12L);
        throttle.set(50);
        silence = new IOException("gone");
        throttle.set(60);
        assertEquals(List.of("first 40 [11]", "first 50 [11, 12]", "first 60 [11, 12]"),
                done.stream().map(line -> line.replace("[12, 11]", "[11, 12]")).toList());
    }

    @Test
    void nothingIsTouchedBeforeItIsAskedFor() {
        ThreadThrottle throttle = throttle();
        throttle.set(0);
        throttle.stolenNanos();
        assertEquals(List.of(), done);
    }

    @Test
    void aGuestIsNeverStoppedAndHasNoQuota() {
        ThreadThrottle throttle = throttle();
        assertThrows(IllegalArgumentException.class, () -> throttle.set(100));
        assertFalse(throttle.hasQuota());
        throttle.quota(null);
        assertThrows(UnsupportedOperationException.class,
                () -> throttle.quota(WriteThrottle.Quota.CLASSIC));
    }

    @Test
    void whatItTakesOfRealThreadsIsMeasured() throws IOException {
        try (Spinner spinner = Spinner.start()) {
            ThreadThrottle throttle = ThreadThrottle.of(spinner.throttled().pid(),
                    spinner.throttled().startTicks(), () -> Set.of(spinner.first()));
            int percent = 100 - (int) (30 * spinner.share(spinner.first()));
            assertEquals(0, throttle.stolenNanos());
            long begin = System.nanoTime();
            throttle.set(percent);
            Stranger.await("a held while", () -> System.nanoTime() - begin >= 500 * MS);
            throttle.close();
            long passed = System.nanoTime() - begin;
            long stolen = throttle.stolenNanos();
            // Beside other busy processes it may want less than it is left with for a while.
            assertTrue(stolen > passed * 0.3 && stolen <= passed * (percent + 10) / 100,
                    throttle.name() + ": " + stolen + " of " + passed);
            assertEquals(0, spinner.tracer(spinner.first()));
        }
    }
}
