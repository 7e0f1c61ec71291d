package io.pageferry.agent.daemon.store;

import io.pageferry.core.words.Quantity;
import java.time.Duration;

/**
 * How much history is kept: what passes either bound goes, the oldest first.
 *
 * @param age   of a report
 * @param bytes of all reports
 */
public record HistoryLimits(Duration age, long bytes) {
    /** A month of a busy host: a report has 5 to 50 KiB. */
    public static final String DEFAULT = "30d/256MiB";

    /**
     * Parses both.
     *
     * @param text for example {@code 30d/256MiB}
     * @return the bounds
     * @throws IllegalArgumentException when it is none; the message says how it is written
     */
    public static HistoryLimits parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 1) {
            throw new IllegalArgumentException("'" + text
                    + "' is no history: write days and a size, for example " + DEFAULT);
        }
        return new HistoryLimits(age(text.substring(0, slash).strip()),
                Quantity.bytes(text.substring(slash + 1)));
    }

    private static Duration age(String text) {
        if (!text.endsWith("d")) {
            return Duration.ofNanos(Quantity.nanos(text));
        }
        try {
            long days = Long.parseLong(text.substring(0, text.length() - 1).strip());
            if (days >= 0) {
                return Duration.ofDays(days);
            }
        } catch (NumberFormatException e) {
            // The error is thrown below.
        }
        throw new IllegalArgumentException("'" + text + "' is no number of days");
    }
}
