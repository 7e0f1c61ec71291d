package io.pageferry.agent.demo;

import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One line of the test guest's console. */
public sealed interface ConsoleLine {
    /**
     * The ticker's line.
     *
     * @param number 1, 2, 3 … for as long as the guest lives
     * @param bad wrong pages and chunks that the writers found so far
     * @param pages pages of 4 KiB that the writers overwrote since they were ready
     */
    record Tick(long number, long bad, long pages) implements ConsoleLine {
    }

    /** The working sets are filled. */
    record Ready() implements ConsoleLine {
    }

    /** A panic, an oops, a wrong page. */
    record Problem(String text) implements ConsoleLine {
    }

    /** Any other line. */
    record Other(String text) implements ConsoleLine {
    }

    /** At most 18 digits: they fit a long. */
    Pattern TICK = Pattern.compile("tick (\\d{1,18}) bad=(\\d{1,18}) pages=(\\d{1,18})");
    Pattern PROBLEM = Pattern.compile("^bad |Kernel panic|BUG:|Oops|general protection fault"
            + "|segfault|Out of memory|soft lockup|rcu.*detected stalls|writer ended");

    /** Sorts a line without its end. */
    static ConsoleLine parse(String text) {
        Matcher tick = TICK.matcher(text);
        if (tick.matches()) {
            return new Tick(Long.parseLong(tick.group(1)), Long.parseLong(tick.group(2)),
                    Long.parseLong(tick.group(3)));
        }
        if (text.equals("ready")) {
            return new Ready();
        }
        return PROBLEM.matcher(text).find() ? new Problem(text) : new Other(text);
    }

    /** Cuts a stream of bytes into lines; the last one waits until its end comes. */
    final class Splitter {
        /** Of a longer line, a broken console's, the rest is dropped. */
        private static final int LIMIT = 4096;
        private final Consumer<String> lines;
        private final byte[] line = new byte[LIMIT];
        private int length;

        /** Hands each line over on the thread that feeds. */
        public Splitter(Consumer<String> lines) {
            this.lines = lines;
        }

        /** Takes the first {@code count} bytes. */
        public void feed(byte[] bytes, int count) {
            for (int i = 0; i < count; i++) {
                byte b = bytes[i];
                if (b == '\n') {
                    lines.accept(new String(line, 0, length, StandardCharsets.ISO_8859_1));
                    length = 0;
                } else if (b != '\r' && length < LIMIT) {
                    line[length++] = b;
                }
            }
        }
    }
}
