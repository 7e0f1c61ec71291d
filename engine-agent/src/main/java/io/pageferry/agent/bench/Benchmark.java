package io.pageferry.agent.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.report.Output;
import java.io.IOException;
import java.util.Map;

/** A measurement that {@code pageferry bench NAME} runs; found by the service loader. */
public interface Benchmark {
    /**
     * Names the benchmark.
     *
     * @return one word
     */
    String name();

    /**
     * Returns what it measures and which options it has.
     *
     * @return one line
     */
    String about();

    /**
     * Runs the measurement.
     *
     * @param options given as {@code --name value}, without the dashes
     * @param output  for lines on the way
     * @return {@code {name, machine, seed, rows[]}} as in the contract
     * @throws IOException              when it cannot be run here, with what to do
     * @throws IllegalArgumentException when an option makes no sense
     */
    ObjectNode run(Map<String, String> options, Output output) throws IOException;
}
