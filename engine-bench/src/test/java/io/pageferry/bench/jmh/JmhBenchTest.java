package io.pageferry.bench.jmh;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pageferry.bench.Rows;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class JmhBenchTest {
    @Test
    void aRowIsTheMedianOverForksAndIterations() throws IOException {
        Rows rows = new Rows("jmh", 0);
        JmhBench.read(new ObjectMapper().readTree("""
                [{"benchmark": "io.pageferry.bench.jmh.CodecBenchmark.encode", "mode": "avgt",
                  "params": {"content": "TEXT", "codec": "LZ4"},
                  "primaryMetric": {"score": 9, "scoreUnit": "us/op",
                                    "rawData": [[1.0, 5.0], [2.0, 4.0, 3.0]]}},
                 {"benchmark": "io.pageferry.bench.jmh.FrameBenchmark.seal", "mode": "avgt",
                  "primaryMetric": {"scoreUnit": "us/op", "rawData": [[]]}}]
                """), rows);
        JsonNode row = rows.result().at("/rows/0");
        assertEquals("CodecBenchmark.encode (content TEXT, codec LZ4)",
                row.path("what").asText());
        assertEquals(3, row.path("value").asDouble());
        assertEquals("1.0 … 5.0", row.path("spread").asText());
        assertEquals("us/op", row.path("unit").asText());
        assertEquals("FrameBenchmark.seal", rows.result().at("/rows/1/what").asText());
        assertEquals("FAIL", rows.result().at("/rows/1/verdict").asText());
    }
}
