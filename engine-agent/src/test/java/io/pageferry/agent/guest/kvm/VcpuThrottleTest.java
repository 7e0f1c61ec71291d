package io.pageferry.agent.guest.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.core.round.WriteThrottle.Quota;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The throttle of a vCPU, by a clock that moves a little at each look. */
class VcpuThrottleTest {
    private static final long MS = 1_000_000L;

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 50 * MS);
    private final CountDownLatch interrupted = new CountDownLatch(1);
    private final VcpuThrottle throttle = new VcpuThrottle(interrupted::countDown,
            () -> now.addAndGet(MS / 10));

    @AfterEach
    void undo() {
        throttle.close();
    }

    @Test
    void takesItsShareOfTheTimeAndMeasuresIt() {
        throttle.set(50);
        throttle.enter();
        now.addAndGet(20 * MS);
        throttle.hold(() -> false);
        long stolen = throttle.stolenNanos();
        assertTrue(stolen >= 20 * MS && stolen < 60 * MS, "stolen " + stolen);
    }

    @Test
    void takesNothingForTheTimeBeforeItWasSet() {
        throttle.enter();
        now.addAndGet(5_000 * MS);
        throttle.set(50);
        now.addAndGet(MS);
        throttle.hold(() -> false);
        assertTrue(throttle.stolenNanos() < 50 * MS, "stolen " + throttle.stolenNanos());
    }

    @Test
    void letsGoAtOnceWhenItIsWantedOutside() {
        throttle.set(99);
        throttle.enter();
        now.addAndGet(MS);
        throttle.hold(() -> true);
        assertTrue(throttle.stolenNanos() < 5 * MS, "stolen " + throttle.stolenNanos());
    }

    @Test
    void letsGoWhenItIsUndone() {
        throttle.set(99);
        throttle.enter();
        now.addAndGet(MS);
        throttle.hold(() -> {
            throttle.close();
            return false;
        });
        assertTrue(throttle.stolenNanos() < 5 * MS, "stolen " + throttle.stolenNanos());
        long stolen = throttle.stolenNanos();
        now.addAndGet(1_000 * MS);
        throttle.hold(() -> false);
        assertEquals(stolen, throttle.stolenNanos());
    }

    @Test
    void bringsOutAVcpuThatDoesNotLeaveByItself() throws InterruptedException {
        throttle.enter();
        throttle.set(20);
        assertTrue(interrupted.await(Requirements.HANG.toSeconds(), TimeUnit.SECONDS));
    }

    @Test
    void seesNoSingleWritesAndNeverStopsTheGuest() {
        assertFalse(throttle.hasQuota());
        throttle.quota(null);
        assertThrows(IllegalArgumentException.class, () -> throttle.quota(Quota.CLASSIC));
        assertThrows(IllegalArgumentException.class, () -> throttle.set(100));
        assertThrows(IllegalArgumentException.class, () -> throttle.set(-1));
    }
}
