package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.linux.KernelProbe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An embedded guest that writes all the time moves with each tracker, and checks itself. */
@Timeout(120)
class TrackerTest {
    @TempDir
    Path folder;

    private Rig rig;

    @BeforeEach
    void make() throws IOException {
        rig = new Rig(folder);
    }

    @AfterEach
    void end() throws IOException {
        rig.close();
    }

    @ParameterizedTest
    @CsvSource({"auto, userfaultfd", "userfaultfd, userfaultfd", "marking, marking",
        "scan, scan"})
    void noWriteIsMissed(String asked, String chosen) throws IOException {
        if (chosen.equals("userfaultfd")) {
            List<KernelProbe.Step> steps = KernelProbe.run();
            Assumptions.assumeTrue(KernelProbe.canTrackSelf(steps), KernelProbe.summary(steps));
        }
        Agent target = rig.start("", List.of("receive", "workload:96MiB", "--listen",
                "127.0.0.1:0", "--once", "--linger", "500ms"));
        Agent source = rig.start("", List.of("migrate", "workload:96MiB?set=64MiB&rate=60MiB/s",
                "--to", target.address(), "--tracker", asked));
        E2e.assertMoved(source, target);
        assertEquals(chosen, source.report().path("tracker").asText(), source::toString);
        ObjectNode said = source.await("choice", event ->
                event.path("message").asText().startsWith("tracker: " + chosen + ", "));
        assertTrue(said.path("message").asText().length() > 30, said::toString);
        JsonNode rounds = source.report().path("rounds");
        assertTrue(rounds.get(rounds.size() - 1).path("sentPages").asLong() > 10,
                () -> "it did not write meanwhile: " + source);
        JsonNode check = target.report().path("guestCheck");
        assertEquals(0, check.path("failures").asLong(-1), target::toString);
        assertEquals(0, check.path("lostTicks").asLong(-1), target::toString);
        assertTrue(check.path("ticksTarget").asLong() > 0, target::toString);
        rig.awaitNothingLeft();
    }

    @ParameterizedTest
    @CsvSource({"--verify, full", "--cold, --verify"})
    void movesAnotherWay(String first, String second) throws IOException {
        List<String> more = second.equals("--verify") ? List.of(first, second, "full")
                : List.of(first, second);
        Agent target = rig.start("", List.of("receive", "workload:64MiB", "--listen",
                "127.0.0.1:0", "--once", "--linger", "500ms"));
        List<String> arguments = new ArrayList<>(List.of("migrate",
                "workload:64MiB?set=32MiB&rate=30MiB/s", "--to", target.address()));
        arguments.addAll(more);
        Agent source = rig.start("", arguments);
        E2e.assertMoved(source, target);
        ObjectNode report = source.report();
        if (more.contains("full")) {
            assertEquals("full", report.at("/verification/method").asText(), source::toString);
            assertEquals("full", target.report().at("/verification/method").asText());
            assertTrue(report.at("/downtime/verifyMs").asDouble() > 0, source::toString);
        }
        if (more.contains("--cold")) {
            assertEquals("cold", report.path("stopReason").asText(), source::toString);
            report.path("rounds").forEach(round ->
                    assertEquals("stop-and-copy", round.path("phase").asText()));
            assertTrue(report.path("downtimeMs").asDouble()
                    >= report.at("/downtime/lastPagesMs").asDouble(), source::toString);
        }
        JsonNode check = target.report().path("guestCheck");
        assertEquals(0, check.path("failures").asLong(-1), target::toString);
        assertEquals(0, check.path("lostTicks").asLong(-1), target::toString);
        rig.awaitNothingLeft();
    }
}
