package io.pageferry.agent.report;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTextTest {
    private final ObjectNode report = new ObjectMapper().createObjectNode()
            .put("migrationId", "m").put("transport", "nio");

    @Test
    void aTargetLeavesOutWhatOnlyTheSourceKnows() {
        report.putNull("tracker").putNull("codec").put("channels", 1);
        List<String> lines = ReportText.of(report);
        assertTrue(lines.contains("how:           1 channel, nio"), lines::toString);
    }

    @Test
    void aMoveThatEndedInPrecopyNamesNoLastRound() {
        report.putArray("rounds").addObject();
        report.putNull("stopReason");
        assertTrue(ReportText.of(report).contains("rounds:        1"));
    }

    @Test
    void aSourceSaysHowItTracksAndSends() {
        report.put("tracker", "scan").put("codec", "lz4").put("channels", 2);
        List<String> lines = ReportText.of(report);
        assertTrue(lines.contains("how:           tracker scan, codec lz4, 2 channels, nio"),
                lines::toString);
    }
}
