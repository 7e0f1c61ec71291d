package io.pageferry.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Requirements;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleLogTest {
    private static final Duration SOON = Requirements.HANG;

    @TempDir
    Path folder;

    private Path log(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text, StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    private static String ticks(int from, int to) {
        StringBuilder text = new StringBuilder();
        for (int i = from; i <= to; i++) {
            text.append("tick ").append(i).append(" bad=0 pages=").append(i * 16).append("\r\n");
        }
        return text.toString();
    }

    @Test
    void aLineThatMovesInItsMiddleIsOne() throws IOException {
        Path a = log("a", ticks(1, 3) + "ready\r\n" + ticks(4, 9) + "tick 1");
        Path b = log("b", "0 bad=0 pages=160\r\n" + ticks(11, 12) + "tick 13 ba");
        ConsoleLog log = ConsoleLog.read(List.of(a, b, folder.resolve("none")));
        assertTrue(log.ready());
        assertEquals(12, log.lastTick());
        assertEquals(List.of(), log.gaps());
        assertEquals(0, log.bad());
        assertEquals(192, log.ticks().getLast().pages());
    }

    @Test
    void gapsAndHistoryLivedTwiceAreFound() throws IOException {
        Path a = log("a", ticks(1, 5) + ticks(8, 9) + ticks(7, 8));
        ConsoleLog log = ConsoleLog.read(a);
        assertEquals(List.of(new ConsoleLog.Gap(5, 8), new ConsoleLog.Gap(9, 7)), log.gaps());
        assertEquals(2, log.lostTicks());
    }

    @Test
    void wrongPagesAndPanicsAreFound() throws IOException {
        Path a = log("a", ticks(1, 1) + "bad page p1000003.12.10000002 holds p1000003\r\n"
                + "tick 2 bad=7 pages=3\r\n[   12.3] Kernel panic - not syncing: Attempted\r\n"
                + "[    1.0] some other word\r\n");
        ConsoleLog log = ConsoleLog.read(a);
        assertEquals(7, log.bad());
        assertEquals(2, log.problems().size(), log.problems().toString());
        assertFalse(log.ready());
    }

    @Test
    void junkOnTheConsoleIsNoTick() throws IOException {
        Path a = log("a", "tick x bad=0 pages=0\ntick 99999999999999999999 bad=0 pages=0\n"
                + "tick 1 bad=0\n" + "y".repeat(100_000) + "\n" + ticks(1, 2));
        ConsoleLog log = ConsoleLog.read(a);
        assertEquals(2, log.ticks().size());
        assertEquals(List.of(), log.gaps());
    }

    @Test
    void followsAcrossAMoveAndFindsTheSilence() throws IOException {
        Path a = log("a", ticks(1, 3));
        Path b = folder.resolve("b");
        try (ConsoleFollower follower = new ConsoleFollower(List.of(a, b))) {
            assertTrue(follower.await(f -> f.lastTick().number() == 3, SOON));
            log("a", "tick 4 ba");
            long before = System.nanoTime();
            log("b", "d=0 pages=64\r\nready\r\n" + ticks(5, 5));
            assertTrue(follower.await(f -> f.lastTick().number() == 5, SOON));
            assertTrue(follower.ready());
            assertEquals(List.of(), follower.problems());
            ConsoleFollower.Silence silence = follower.longestSilence(before);
            assertTrue(silence.before() == 3 || silence.before() == 4, silence.toString());
            assertEquals(2, follower.intervals(before, System.nanoTime()).length);
            assertFalse(follower.await(f -> false, Duration.ofMillis(5)));
        }
    }
}
