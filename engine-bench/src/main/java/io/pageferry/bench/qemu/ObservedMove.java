package io.pageferry.bench.qemu;

import io.pageferry.agent.demo.ConsoleFollower;
import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoQemu;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/**
 * One move of a ticking guest from QEMU to QEMU as its consoles show it, by any peer: make it,
 * {@link #calm()}, move, {@link #seen()}, close. One thread.
 */
final class ObservedMove implements AutoCloseable {
    /** Ticks before and after the move, to know the median tick and that the guest goes on. */
    private static final int CALM = 200;
    private static final Duration BOOT = Duration.ofMinutes(3);
    private static final Duration TICKS = Duration.ofSeconds(30);
    private static final double MILLI = 1e6;

    private final DemoQemu from;
    private final DemoQemu to;
    private final ConsoleFollower console;
    private long calmSince;

    /**
     * Begins to follow both consoles.
     *
     * @param from where the guest runs
     * @param to   where it will run
     */
    ObservedMove(DemoQemu from, DemoQemu to) {
        this.from = from;
        this.to = to;
        this.console = new ConsoleFollower(List.of(from.console(), to.console()));
    }

    /**
     * What was seen.
     *
     * @param gapMillis           silence over the switch-over less the median tick; of no meaning
     *                            where the guest is not alive
     * @param silenceBeforeMillis the longest before it
     * @param tickMillis          the median tick before it
     * @param trouble             null where the guest ticks on at the target with no tick missing
     *                            and nothing wrong in its memory, else what it showed instead
     */
    record Seen(double gapMillis, double silenceBeforeMillis, double tickMillis,
            String trouble) { }

    /** Waits until a guest that boots has filled its working set. */
    void awaitReady() throws IOException {
        if (!console.await(ConsoleFollower::ready, BOOT)) {
            throw new IOException("the guest did not get ready: " + console.problems());
        }
    }

    /** Lets the guest tick undisturbed; what follows is the move. */
    void calm() throws IOException {
        // What it printed before is read first, or its ticks would pass for new ones.
        if (!console.await(follower -> follower.lastTick().number() > 0, TICKS)
                || !console.awaitTicks(CALM, TICKS)) {
            throw new IOException("the guest does not tick before the move: "
                    + console.problems());
        }
        calmSince = System.nanoTime();
    }

    /** {@return what the consoles showed, after some ticks more or a word of trouble} */
    Seen seen() throws IOException {
        long goal = console.lastTick().number() + CALM;
        boolean ticked = console.await(follower -> follower.lastTick().number() >= goal
                || !follower.problems().isEmpty(), TICKS);
        long last = ConsoleLog.read(from.console()).lastTick();
        ConsoleFollower.Silence gap = console.silenceAfter(last);
        long[] before = console.intervals(calmSince,
                gap.nanos() == 0 ? System.nanoTime() : gap.atNanos());
        if (before.length == 0) {
            return new Seen(0, 0, 0, "no ticks while it moved");
        }
        double tick = before[before.length / 2] / MILLI;
        return new Seen(gap.nanos() / MILLI - tick, before[before.length - 1] / MILLI, tick,
                trouble(ticked, last));
    }

    private String trouble(boolean ticked, long last) throws IOException {
        ConsoleLog whole = ConsoleLog.read(List.of(from.console(), to.console()));
        if (!whole.problems().isEmpty()) {
            return whole.problems().getFirst();
        }
        if (!ticked || ConsoleLog.read(to.console()).lastTick() <= last) {
            return "it does not tick on at the target";
        }
        if (whole.bad() > 0) {
            return whole.bad() + " wrong pages";
        }
        return whole.gaps().stream().filter(gap -> gap.before() > 0).findFirst()
                .map(gap -> "tick " + gap.before() + " is followed by " + gap.after())
                .orElse(null);
    }

    @Override
    public void close() {
        console.close();
    }
}
