package io.pageferry.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
        result.put("name", name).put("machine", machine()).put("seed", seed);
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
                    .put("spread", spread(sample));
        }
        return row.put("verdict", good ? "OK" : "FAIL");
    }

    /**
     * Adds a figure of something else, which others are compared with: where two builds are
     * compared it shows what the machine did, and is not judged.
     *
     * @param what   was measured
     * @param sample its values
     * @param unit   of each
     * @param good   false where anything it stands on failed
     * @return the row
     */
    public ObjectNode reference(String what, Sample sample, String unit, boolean good) {
        return add(what, sample, unit, good).put("reference", true);
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
     * Fails a row where something is more than it may be, and says how much that is.
     *
     * @param row   of this result
     * @param value that is judged, in the unit of the limit
     * @param most  that is allowed
     */
    public static void atMost(ObjectNode row, double value, double most) {
        row.put("atMost", rounded(most));
        if (value > most) {
            row.put("verdict", "FAIL");
        }
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

    /** {@return its least and its greatest value} */
    static String spread(Sample sample) {
        return rounded(sample.low()) + " … " + rounded(sample.high());
    }

    /** Three digits that count: more are noise. */
    static double rounded(double value) {
        return Double.parseDouble(String.format(Locale.ROOT,
                Math.abs(value) >= 100 ? "%.0f" : Math.abs(value) >= 10 ? "%.1f" : "%.2f", value));
    }

    /** Processors, memory, kernel and JDK: what a figure was measured on. */
    private static String machine() {
        return Runtime.getRuntime().availableProcessors() + " processors, " + memory() + ", "
                + System.getProperty("os.name") + " " + System.getProperty("os.version")
                + ", JDK " + System.getProperty("java.version");
    }

    private static String memory() {
        try {
            String line = Files.readAllLines(Path.of("/proc/meminfo")).getFirst();
            return Long.parseLong(line.replaceAll("\\D", "")) / (1 << 20) + " GiB";
        } catch (IOException e) {
            return "unknown memory";
        }
    }
}
