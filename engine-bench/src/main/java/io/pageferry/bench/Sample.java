package io.pageferry.bench;

import java.util.Arrays;

/**
 * Values of one measure, sorted.
 *
 * @param values at least one
 */
public record Sample(double... values) {
    /** Copies and sorts. */
    public Sample {
        if (values.length == 0) {
            throw new IllegalArgumentException("a sample without a value");
        }
        values = values.clone();
        Arrays.sort(values);
    }

    /** {@return the one in the middle, or the mean of the two there} */
    public double median() {
        return (values[(values.length - 1) / 2] + values[values.length / 2]) / 2;
    }

    /** {@return the least} */
    public double low() {
        return values[0];
    }

    /** {@return the greatest} */
    public double high() {
        return values[values.length - 1];
    }

    /**
     * Returns a percentile, by the nearest rank.
     *
     * @param part of the values that are no greater, above 0 and up to 1
     * @return one of the values
     */
    public double percentile(double part) {
        return values[(int) Math.ceil(part * values.length) - 1];
    }
}
