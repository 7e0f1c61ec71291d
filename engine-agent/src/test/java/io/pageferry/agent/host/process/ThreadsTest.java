package io.pageferry.agent.host.process;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whoever waits may be interrupted. */
@Timeout(60)
class ThreadsTest {
    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void anInterruptEndsNoWaitWithoutALimitAndIsKept() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        Thread waited = Thread.ofPlatform().daemon().start(() -> awaitQuietly(end));
        boolean[] seen = new boolean[2];
        Thread waiting = Thread.ofPlatform().daemon().start(() -> {
            Thread.currentThread().interrupt();
            Threads.join(waited);
            seen[0] = waited.isAlive();
            seen[1] = Thread.currentThread().isInterrupted();
        });
        while (waiting.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        end.countDown();
        waiting.join();
        assertFalse(seen[0], "it did not wait");
        assertTrue(seen[1], "the interrupt is lost");
    }

    @Test
    void anInterruptEndsAWaitWithALimit() {
        CountDownLatch end = new CountDownLatch(1);
        Thread waited = Thread.ofPlatform().daemon().start(() -> awaitQuietly(end));
        assertFalse(Threads.join(waited, Duration.ofMillis(1)));
        Thread.currentThread().interrupt();
        assertFalse(Threads.join(waited, Duration.ofDays(1)));
        assertTrue(Thread.interrupted(), "the interrupt is lost");
        end.countDown();
        assertTrue(Threads.join(waited, Duration.ofDays(1)));
    }
}
