package io.pageferry.core.precopy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.round.Bandwidth;
import org.junit.jupiter.api.Test;

/** Streams beside memory get what they were given of a link, and no more. */
class StreamRateTest {
    private static final long MILLI = 1_000_000L;
    private static final int CHUNK = 32 << 10;

    private long now = Long.MAX_VALUE - 50 * MILLI;
    private final RateLimiter limiter = new RateLimiter(() -> now, Bandwidth.UNLIMITED);

    private long sentIn(long millis, long everyMillis) {
        long sent = 0;
        for (long end = now + millis * MILLI; end - now > 0; now += everyMillis * MILLI) {
            while (limiter.isFree()) {
                limiter.took(CHUNK);
                sent += CHUNK;
            }
        }
        return sent;
    }

    @Test
    void noMoreThanTheRateIsSent() {
        limiter.limit(5_000_000);
        long sent = sentIn(10_000, 1);
        assertTrue(sent <= 50_000_000 && sent >= 47_000_000, () -> sent + " bytes");
    }

    /** A thread that slept for a second does not send a second's worth at once. */
    @Test
    void whoWasLateDoesNotCatchUpOnAllOfIt() {
        limiter.limit(5_000_000);
        assertTrue(sentIn(10_000, 1_000) <= 10 * (CHUNK + 50_000 + CHUNK));
    }

    @Test
    void aNewRateHoldsAtOnce() {
        limiter.limit(1_000);
        limiter.took(CHUNK);
        now += 1_000 * MILLI;
        assertFalse(limiter.isFree());
        limiter.limit(0);
        assertTrue(limiter.isFree());
        assertEquals(CHUNK, sentOnce());
    }

    private long sentOnce() {
        limiter.took(CHUNK);
        return limiter.isFree() ? CHUNK : 0;
    }
}
