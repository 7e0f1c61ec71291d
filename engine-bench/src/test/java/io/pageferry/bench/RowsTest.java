package io.pageferry.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;

class RowsTest {
    private final Rows rows = new Rows("test", 3);

    @Test
    void aFigureIsTheMedianWithItsSpread() {
        ObjectNode row = rows.add("rate", new Sample(3, 1, 2), "GiB/s", true);
        assertEquals(2, row.path("value").asDouble());
        assertEquals("1.0 … 3.0", row.path("spread").asText());
        assertEquals("OK", row.path("verdict").asText());
    }

    @Test
    void whatFailedIsNoFigure() {
        JsonNode row = rows.add("rate", new Sample(9), "GiB/s",
                new Rows.Against("a peer", 1, 0.7), false);
        assertFalse(row.has("value"));
        assertFalse(row.has("ratio"));
        assertEquals("FAIL", row.path("verdict").asText());
    }

    @Test
    void aRatioBelowItsBarFails() {
        Rows.Against peer = new Rows.Against("a peer", 2, 0.7);
        assertEquals("OK", rows.add("rate", new Sample(1.5), "GiB/s", peer, true)
                .path("verdict").asText());
        JsonNode slow = rows.add("rate", new Sample(1.3), "GiB/s", peer, true);
        assertEquals(0.65, slow.path("ratio").asDouble());
        assertEquals("FAIL", slow.path("verdict").asText());
    }

    @Test
    void theMedianOfTwoIsTheirMean() {
        assertEquals(1.5, new Sample(2, 1).median());
    }

    @Test
    void aChartDrawsEachFigureAndEscapesItsName() {
        rows.add("a < b", new Sample(1), "ms", true);
        rows.note("nothing", "OK", "not here");
        String svg = Chart.svg(rows.result());
        assertTrue(svg.contains("a &lt; b"), svg);
        assertFalse(svg.contains("nothing"), svg);
        assertTrue(svg.contains("width=\"360.0\""), svg);
    }
}
