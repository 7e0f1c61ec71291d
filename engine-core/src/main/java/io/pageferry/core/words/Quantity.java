package io.pageferry.core.words;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Numbers with written-out units, decimals allowed: {@code 1GiB}, {@code 0.5 s}, {@code 1Gbit/s}.
 */
public final class Quantity {
    private static final Map<String, Long> BYTES = units(
            "TiB", 1L << 40, "GiB", 1L << 30, "MiB", 1L << 20, "KiB", 1L << 10, "B", 1L);
    private static final Map<String, Long> NANOS = units(
            "ms", 1_000_000L, "s", 1_000_000_000L, "m", 60_000_000_000L, "h", 3_600_000_000_000L);
    private static final Map<String, Long> BITS = units(
            "Gbit/s", 1_000_000_000L, "Mbit/s", 1_000_000L, "kbit/s", 1_000L, "bit/s", 1L);

    private Quantity() {
    }

    /**
     * Parses a size.
     *
     * @param text for example {@code 256MiB}, or {@code 0}
     * @return bytes, ≥ 0
     * @throws IllegalArgumentException when it is none; the message lists the units
     */
    public static long bytes(String text) {
        return text.strip().equals("0") ? 0 : parse(text, BYTES, "size");
    }

    /**
     * Parses a duration.
     *
     * @param text for example {@code 300ms}
     * @return nanoseconds, ≥ 0
     * @throws IllegalArgumentException when it is none; the message lists the units
     */
    public static long nanos(String text) {
        return parse(text, NANOS, "duration");
    }

    /**
     * Parses a rate.
     *
     * @param text for example {@code 100MiB/s} or {@code 1Gbit/s}
     * @return bytes a second, ≥ 0
     * @throws IllegalArgumentException when it is none; the message lists the units
     */
    public static long bytesPerSecond(String text) {
        if (text.endsWith("bit/s")) {
            return parse(text, BITS, "rate") / 8;
        }
        if (text.strip().equals("0")) {
            return 0;
        }
        if (!text.endsWith("/s")) {
            throw new IllegalArgumentException("'" + text
                    + "' is no rate: write for example 100MiB/s or 1Gbit/s");
        }
        return parse(text.substring(0, text.length() - 2), BYTES, "rate");
    }

    private static long parse(String text, Map<String, Long> units, String what) {
        String trimmed = text.strip();
        for (Map.Entry<String, Long> unit : units.entrySet()) {
            if (trimmed.endsWith(unit.getKey())) {
                String number = trimmed.substring(0, trimmed.length() - unit.getKey().length());
                return scaled(number.strip(), unit.getValue(), text, what);
            }
        }
        throw new IllegalArgumentException("'" + text + "' is no " + what
                + ": write a number and one of " + String.join(", ", units.keySet()));
    }

    private static long scaled(String number, long unit, String text, String what) {
        try {
            BigDecimal value = new BigDecimal(number).multiply(BigDecimal.valueOf(unit))
                    .setScale(0, RoundingMode.HALF_UP);
            if (value.signum() < 0) {
                throw new IllegalArgumentException("'" + text + "' is negative");
            }
            return value.longValueExact();
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' is no " + what, e);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("'" + text + "' is too large", e);
        }
    }

    /** Longer names first where one ends in another. */
    private static Map<String, Long> units(Object... pairs) {
        Map<String, Long> units = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            units.put((String) pairs[i], (Long) pairs[i + 1]);
        }
        return units;
    }
}
