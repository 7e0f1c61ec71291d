package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.core.codec.CodecChoice;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** By each codec a guest arrives that writes, and the report says how its pages came. */
class CodecMoveTest extends WithRig {
    private static final String GUEST = "workload:32MiB?rate=20MiB/s";

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "ADAPTIVE")
    void theGuestArrives(CodecChoice codec) throws IOException {
        Agent target = receive("workload:32MiB");
        Agent source = migrate(GUEST, target.address(), "--codec", codec.label(), "--audit",
                "--bandwidth", "40MiB/s", "--max-downtime", "1ms", "--max-rounds", "6");
        E2e.assertMoved(source, target);
        assertEquals(0, target.report().at("/guestCheck/failures").asLong(-1), target::toString);
        JsonNode rounds = source.report().path("rounds");
        boolean whole = codec == CodecChoice.NONE;
        assertEquals(whole, sum(rounds, "lz4") + sum(rounds, "zstd") + sum(rounds, "delta") == 0,
                source::toString);
        if (codec == CodecChoice.ZSTD) {
            assertTrue(sum(rounds, "zstd") > 0, source::toString);
        }
        if (codec == CodecChoice.LZ4 || codec == CodecChoice.ZSTD) {
            // Its stamps change, not its text: from the fourth time on that a page is sent.
            assertTrue(rounds.size() < 4 || sum(rounds, "delta") > 0, source::toString);
        }
    }

    @Test
    void withoutACacheNothingIsSentAsADifference() throws IOException {
        Agent target = receive("workload:32MiB");
        Agent source = migrate(GUEST, target.address(), "--codec", "lz4",
                "--delta-cache", "0", "--bandwidth", "40MiB/s");
        E2e.assertMoved(source, target);
        assertEquals(0, sum(source.report().path("rounds"), "delta"), source::toString);
    }

    private static long sum(JsonNode rounds, String codec) {
        long sum = 0;
        for (JsonNode round : rounds) {
            sum += round.path(codec).asLong();
        }
        return sum;
    }
}
