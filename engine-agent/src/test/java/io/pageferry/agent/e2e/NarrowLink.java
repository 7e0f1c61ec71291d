package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A bandwidth that a guest outruns, by what it was measured to write in this very run: how fast a
 * guest can write, tracked and beside whatever else the machine does, is no constant.
 *
 * @param bytesPerSecond that the guest was measured to write
 */
record NarrowLink(double bytesPerSecond) {
    /** Ends a move after its first round, in which the guest is measured over the whole link. */
    static final String[] MEASURE = {"--max-rounds", "1", "--max-downtime", "1ms",
        "--on-no-convergence", "abort"};

    /** By the report of a move with {@link #MEASURE}. */
    static NarrowLink of(ObjectNode report) {
        double measured = report.at("/rounds/0/dirtyBytesPerSecond").asDouble();
        assertTrue(measured > 0, () -> "the guest wrote nothing: " + report);
        System.out.println("the guest writes " + (long) measured / (1 << 20) + " MiB/s");
        return new NarrowLink(measured);
    }

    /**
     * {@return the bandwidth of which the guest writes a multiple, as an option's word}
     *
     * @param times how many times as much as the link carries
     * @param most  bits per second that the link has at most
     */
    String carrying(double times, long most) {
        return (long) Math.min(most, bytesPerSecond * Byte.SIZE / times) / 1000 + "kbit/s";
    }
}
