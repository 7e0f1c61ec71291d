package io.pageferry.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import java.util.Locale;

/** The rows of one benchmark's result, as the contract of {@code bench --json} lays them out. */
public final class Rows {
    private final ObjectNode result = Output.object();
    private final ArrayNode rows;

    /**
     * Begins a result.
     *
     * @param name of the benchmark
     * @param seed of what it drew, 0 where it drew nothing
     */
    public Rows(String name, long seed) {
        result.put("name", name).put("machine", Machine.describe()).put("seed", seed);
        rows = result.putArray("rows");
    }

    /**
     * Adds a figure with its spread.
     *
     * @param what   was measured
     * @param sample its values
     * @param unit   of each
     * @param good   false where anything it stands on failed: then it is no figure
     * @return the row, to which more may be added
     */
    public ObjectNode add(String what, Sample sample, String unit, boolean good) {
        ObjectNode row = rows.addObject().put("what", what);
        if (good) {
            row.put("value", rounded(sample.median())).put("unit", unit)
                    .put("spread", rounded(sample.low()) + " … " + rounded(sample.high()));
        }
        return row.put("verdict", good ? "OK" : "FAIL");
    }

    /**
     * Adds a figure that was compared with another one.
     *
     * @param what    was measured
     * @param sample  its values
     * @param unit    of each
     * @param against the other one
     * @param good    false where anything it stands on failed
     * @return the row
     */
    public ObjectNode add(String what, Sample sample, String unit, Against against,
            boolean good) {
        ObjectNode row = add(what, sample, unit, good);
        if (good) {
            double ratio = Math.round(sample.median() / against.median() * 1000) / 1000.0;
            row.put("ratio", ratio).put("against", against.what());
            if (ratio < against.atLeast()) {
                row.put("verdict", "FAIL");
            }
        }
        return row;
    }

    /**
     * Adds a row of words.
     *
     * @param what    it is about
     * @param verdict OK or FAIL
     * @param note    why there is no figure
     */
    public void note(String what, String verdict, String note) {
        rows.addObject().put("what", what).put("spread", note).put("verdict", verdict);
    }

    /** {@return the result with the rows so far} */
    public ObjectNode result() {
        return result;
    }

    /**
     * What a figure is compared with.
     *
     * @param what    names it
     * @param median  its value in the same unit
     * @param atLeast the ratio below which the row fails, 0 for none
     */
    public record Against(String what, double median, double atLeast) { }

    /** Three digits that count: more are noise. */
    static double rounded(double value) {
        return Double.parseDouble(String.format(Locale.ROOT,
                Math.abs(value) >= 100 ? "%.0f" : Math.abs(value) >= 10 ? "%.1f" : "%.2f", value));
    }
}
