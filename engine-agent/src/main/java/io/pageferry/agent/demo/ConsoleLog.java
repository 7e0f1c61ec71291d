package io.pageferry.agent.demo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the test guest printed, over all QEMUs that it ran in. The logs are one stream of bytes:
 * a guest that moves in the middle of a line ends the line at the target.
 *
 * @param ready whether the working sets were filled
 * @param ticks the lines of the ticker, in the order printed
 * @param gaps where a tick does not follow the one before
 * @param problems lines that report a panic, an oops or a wrong page
 */
public record ConsoleLog(boolean ready, List<ConsoleLine.Tick> ticks, List<Gap> gaps,
        List<String> problems) {

    /**
     * A break in the sequence.
     *
     * @param before the last tick before it; 0: the first line that was found is not tick 1
     * @param after the next one; not greater than {@code before} where history was lived twice
     */
    public record Gap(long before, long after) {
        /** Ticks missing, 0 where some came twice. */
        public long lost() {
            return Math.max(0, after - before - 1);
        }
    }

    /** Copies the lists. */
    public ConsoleLog {
        ticks = List.copyOf(ticks);
        gaps = List.copyOf(gaps);
        problems = List.copyOf(problems);
    }

    /** Reads the logs of a chain of QEMUs, in its order; a log that is not there is empty. */
    public static ConsoleLog read(List<Path> chain) throws IOException {
        Collector collector = new Collector();
        ConsoleLine.Splitter splitter = new ConsoleLine.Splitter(collector::line);
        byte[] buffer = new byte[64 << 10];
        for (Path log : chain) {
            if (Files.exists(log)) {
                try (InputStream in = Files.newInputStream(log)) {
                    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                        splitter.feed(buffer, n);
                    }
                }
            }
        }
        return collector.log();
    }

    /** Reads one log. */
    public static ConsoleLog read(Path log) throws IOException {
        return read(List.of(log));
    }

    /** The last tick, 0 if there is none. */
    public long lastTick() {
        return ticks.isEmpty() ? 0 : ticks.getLast().number();
    }

    /** Ticks missing in the sequence. */
    public long lostTicks() {
        return gaps.stream().mapToLong(Gap::lost).sum();
    }

    /** The highest count of wrong pages and chunks that the guest reported. */
    public long bad() {
        return ticks.stream().mapToLong(ConsoleLine.Tick::bad).max().orElse(0);
    }

    private static final class Collector {
        private final List<ConsoleLine.Tick> ticks = new ArrayList<>();
        private final List<Gap> gaps = new ArrayList<>();
        private final List<String> problems = new ArrayList<>();
        private boolean ready;

        void line(String text) {
            switch (ConsoleLine.parse(text)) {
                case ConsoleLine.Tick tick -> {
                    long before = ticks.isEmpty() ? 0 : ticks.getLast().number();
                    if (tick.number() != before + 1) {
                        gaps.add(new Gap(before, tick.number()));
                    }
                    ticks.add(tick);
                }
                case ConsoleLine.Ready _ -> ready = true;
                case ConsoleLine.Problem problem -> problems.add(problem.text());
                case ConsoleLine.Other _ -> {
                    // Any other line of the kernel.
                }
            }
        }

        ConsoleLog log() {
            return new ConsoleLog(ready, ticks, gaps, problems);
        }
    }
}
