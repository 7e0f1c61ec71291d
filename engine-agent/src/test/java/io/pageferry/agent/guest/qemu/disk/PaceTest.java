package io.pageferry.agent.guest.qemu.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Streams beside memory get what they were given of a link, and no more. */
class PaceTest {
    private static final long MILLI = 1_000_000L;
    private static final int CHUNK = 32 << 10;

    private final Pace pace = new Pace();
    private long now = Long.MAX_VALUE - 50 * MILLI;

    private long sentIn(long millis, long everyMillis) {
        long sent = 0;
        for (long end = now + millis * MILLI; end - now > 0; now += everyMillis * MILLI) {
            while (pace.isFree(now)) {
                pace.took(CHUNK, now);
                sent += CHUNK;
            }
        }
        return sent;
    }

    @Test
    void noMoreThanTheRateIsSent() {
        pace.limit(5_000_000, now);
        long sent = sentIn(10_000, 1);
        assertTrue(sent <= 50_000_000 && sent >= 47_000_000, () -> sent + " bytes");
    }

    /** A thread that slept for a second does not send a second's worth at once. */
    @Test
    void whoWasLateDoesNotCatchUpOnAllOfIt() {
        pace.limit(5_000_000, now);
        assertTrue(sentIn(10_000, 1_000) <= 10 * (CHUNK + 50_000 + CHUNK));
    }

    @Test
    void aNewRateHoldsAtOnce() {
        pace.limit(1_000, now);
        pace.took(CHUNK, now);
        assertFalse(pace.isFree(now + 1_000 * MILLI));
        pace.limit(0, now);
        assertTrue(pace.isFree(now));
        assertEquals(CHUNK, sentOnce());
    }

    private long sentOnce() {
        pace.took(CHUNK, now);
        return pace.isFree(now) ? CHUNK : 0;
    }
}
