package io.pageferry.core.round;

import java.util.ArrayList;
import java.util.List;

/**
 * One limit that was changed while a migration ran. The values are for people: milliseconds, bytes
 * per second, percent, or the words of the options.
 *
 * @param atNanos since the migration began
 * @param what    the limit, as the option for it is called, without hyphens in front
 * @param from    what held before
 * @param to      what holds from then on
 */
public record LimitChange(long atNanos, String what, String from, String to) {
    private static final long MILLI = 1_000_000L;

    /**
     * Compares two sets of limits.
     *
     * @param before  what held
     * @param after   what holds now
     * @param atNanos since when
     * @return what differs; the bound of disks follows that of the link and is not named
     */
    static List<LimitChange> between(MigrationLimits before, MigrationLimits after, long atNanos) {
        List<String> names = List.of("bandwidth", "bandwidth-switchover", "max-downtime",
                "max-rounds", "timeout", "max-switchover", "on-no-convergence", "throttle",
                "max-stolen", "write-quota");
        List<String> old = values(before);
        List<String> now = values(after);
        List<LimitChange> changes = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            if (!old.get(i).equals(now.get(i))) {
                changes.add(new LimitChange(atNanos, names.get(i), old.get(i), now.get(i)));
            }
        }
        return changes;
    }

    private static List<String> values(MigrationLimits limits) {
        MigrationLimits.Throttling slowing = limits.throttling();
        WriteThrottle.Quota quota = slowing.quota();
        return List.of(rate(limits.bandwidth().bytesPerSecond()),
                rate(limits.bandwidth().switchoverBytesPerSecond()),
                millis(limits.maxDowntimeNanos()), Integer.toString(limits.maxRounds()),
                millis(limits.timeoutNanos()), millis(limits.maxSwitchoverNanos()),
                limits.onNoConvergence().label(),
                slowing.how() == MigrationLimits.Throttle.FIXED ? slowing.percent() + "%"
                        : slowing.how().label(),
                slowing.maxStolenPercent() + "%",
                quota == null ? "none" : quota.writes() + "/" + millis(quota.periodNanos()));
    }

    private static String rate(long bytesPerSecond) {
        return bytesPerSecond == 0 ? "none" : bytesPerSecond + "B/s";
    }

    private static String millis(long nanos) {
        return nanos / MILLI + "ms";
    }

    /** {@return it in one line} */
    public String line() {
        return what + " from " + from + " to " + to;
    }
}
