package io.pageferry.agent.host.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What being held cost, from what a proc of plain files says. */
class LostTimeTest {
    private static final long MS = 1_000_000;
    private static final Set<Long> BOTH = Set.of(1L, 2L);

    @TempDir
    Path proc;

    private final Map<Long, Long> used = new HashMap<>(Map.of(1L, 1L, 2L, 1L));
    private final Map<Long, Long> held = new HashMap<>(Map.of(1L, 0L, 2L, 0L));
    private long now = Long.MAX_VALUE - 5_000 * MS;
    private LostTime lost;

    @BeforeEach
    void begin() throws IOException {
        write();
        lost = new LostTime(throttled(), held::get, now);
        lost.look(BOTH, false, now);
    }

    private ThrottledProcess throttled() {
        return new ThrottledProcess(proc, 7, 1);
    }

    /** For some time both threads use a share of their processor and are held for another. */
    private void pass(long millis, int[] usedPercent, int[] heldPercent) throws IOException {
        for (long thread : BOTH) {
            used.merge(thread, millis * MS * usedPercent[(int) thread - 1] / 100, Long::sum);
            held.merge(thread, millis * MS * heldPercent[(int) thread - 1] / 100, Long::sum);
        }
        now += millis * MS;
        write();
    }

    private void write() throws IOException {
        for (long thread : BOTH) {
            Files.createDirectories(throttled().task(thread));
            Files.writeString(throttled().task(thread).resolve("schedstat"),
                    used.get(thread) + " 17 3\n");
        }
    }

    private void free(long millis, int... usedPercent) throws IOException {
        pass(millis, usedPercent, new int[] {0, 0});
        lost.look(BOTH, false, now);
    }

    private void held(long millis, int[] usedPercent, int... heldPercent) throws IOException {
        pass(millis, usedPercent, heldPercent);
        lost.look(BOTH, true, now);
    }

    @Test
    void whatIsFreeLosesNothing() throws IOException {
        free(1_000, 100, 10);
        free(1_000, 20, 0);
        assertEquals(0, lost.nanos());
    }

    @Test
    void theShareOfWhatWasWantedIsLost() throws IOException {
        free(1_000, 100, 0);
        held(1_000, new int[] {60, 0}, 40, 0);
        // One vCPU is idle: the guest still got only 60 % of what it wanted.
        assertEquals(400, lost.nanos() / MS, 5);
    }

    @Test
    void oneThatWantsLessThanIsLeftToItLosesNothing() throws IOException {
        free(1_000, 30, 30);
        held(1_000, new int[] {30, 30}, 0, 0);
        assertEquals(0, lost.nanos());
    }

    @Test
    void oneThatWentToSleepByItselfLostNothing() throws IOException {
        free(1_000, 100, 100);
        held(1_000, new int[] {10, 10}, 2, 2);
        assertEquals(20, lost.nanos() / MS, 1);
    }

    @Test
    void whatItWaitedForAProcessorIsNotSaidToBeTaken() throws IOException {
        held(1_000, new int[] {20, 20}, 50, 50);
        // Beside others it gets two fifths of a processor: so much of half the time was taken.
        assertEquals(500, lost.nanos() / MS, 1);
        free(1_000, 40, 40);
        held(1_000, new int[] {20, 0}, 0, 0);
        assertEquals(500, lost.nanos() / MS, 1);
    }

    @Test
    void shortLooksAddUpToTheSame() throws IOException {
        for (int i = 0; i < 100; i++) {
            // The kernel tells what it held every other look.
            held(10, new int[] {40, 70}, i % 2 == 0 ? 0 : 120, i % 2 == 0 ? 0 : 60);
        }
        assertEquals(1_000 * 0.9 / 2.0, lost.nanos() / MS, 10);
    }

    @Test
    void whatWasLostStaysLost() throws IOException {
        free(1_000, 100, 100);
        held(1_000, new int[] {50, 50}, 50, 50);
        long before = lost.nanos();
        lost.change();
        free(2_000, 100, 100);
        assertEquals(before, lost.nanos());
        held(1_000, new int[] {50, 50}, 50, 50);
        assertEquals(1_000, lost.nanos() / MS, 10);
    }

    @Test
    void oneThatEndedCountsUntilThen() throws IOException {
        free(1_000, 100, 100);
        held(500, new int[] {50, 50}, 50, 50);
        Files.delete(throttled().task(2).resolve("schedstat"));
        used.put(1L, used.get(1L) + 250 * MS);
        held.put(1L, held.get(1L) + 250 * MS);
        now += 500 * MS;
        Files.writeString(throttled().task(1).resolve("schedstat"), used.get(1L) + " 17 3\n");
        lost.look(BOTH, true, now);
        assertEquals(500, lost.nanos() / MS, 5);
    }
}
