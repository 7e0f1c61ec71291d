package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An embedded guest that writes all the time moves with each tracker, and checks itself. */
@Tag("timing")
class TrackerTest extends WithRig {
    /** Outside of the working set of 16 MiB. */
    private static final long MISSED_PAGE = 6000;

    @ParameterizedTest
    @CsvSource({"auto, userfaultfd", "userfaultfd, userfaultfd", "marking, marking",
        "scan, scan"})
    void noWriteIsMissed(String asked, String chosen) throws IOException {
        if (chosen.equals("userfaultfd")) {
            List<KernelProbe.Step> steps = KernelProbe.run();
            Assumptions.assumeTrue(KernelProbe.canTrackSelf(steps), KernelProbe.summary(steps));
        }
        Agent target = receive("workload:96MiB", "--linger", "500ms");
        Agent source = migrate("workload:96MiB?set=64MiB&rate=60MiB/s", target.address(),
                "--tracker", asked);
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

    /**
     * A byte is written into the guest's memory behind its back, outside of what it writes itself.
     * What was sent arrived, and that is all that {@code sent} says.
     */
    @ParameterizedTest
    @ValueSource(strings = {"full", "sent"})
    void aWriteThatTheTrackerMissedIsFoundInFull(String verify) throws IOException {
        Agent target = receive("workload:32MiB", "--linger", "300ms");
        Agent source = rig.start("round 0", List.of("migrate",
                "workload:32MiB?set=16MiB&rate=1MiB/s&fill=random", "--to", target.address(),
                "--tracker", "marking", "--verify", verify, "--linger", "300ms"));
        try (GuestWindow guest = GuestWindow.of(source, 32L << 20)) {
            // Round 0 went by that page, and nobody tells a later one of it.
            source.awaitHold("round 0");
            guest.write(MISSED_PAGE * 4096 + 7, (byte) 1);
            source.goOn();
            if (verify.equals("sent")) {
                assertFoundByTheAudit(source, target);
                return;
            }
            E2e.assertEnds(4, "failed", source);
            E2e.assertEnds(4, "failed", target);
        }
        ObjectNode report = source.report();
        assertEquals("digest-mismatch", report.at("/error/code").asText(), source::toString);
        assertTrue(report.at("/error/reason").asText().contains("page " + MISSED_PAGE + " ("),
                source::toString);
        assertFalse(report.at("/verification/match").asBoolean(true), source::toString);
        assertEquals("source", report.at("/owner/side").asText(), source::toString);
        assertEquals(0, report.at("/guestCheck/failures").asLong(-1), source::toString);
        rig.awaitNothingLeft();
    }

    /** Too late to keep the guest here, and not too late to know. */
    private static void assertFoundByTheAudit(Agent source, Agent target) throws IOException {
        E2e.assertEnds(5, "failed", source);
        E2e.assertEnds(0, "completed", target);
        ObjectNode report = source.report();
        assertEquals("audit", report.at("/error/code").asText(), source::toString);
        assertTrue(report.at("/error/reason").asText().contains("page " + MISSED_PAGE + " ("),
                source::toString);
        assertEquals(1, report.at("/verification/audit/differing").asLong(), source::toString);
        assertEquals(32L << 20, report.at("/verification/audit/pages").asLong() * 4096);
        assertTrue(report.at("/verification/match").asBoolean(), source::toString);
        assertEquals("target", report.at("/owner/side").asText(), source::toString);
    }

    @ParameterizedTest
    @CsvSource({"--verify, full", "--cold, --verify"})
    void movesAnotherWay(String first, String second) throws IOException {
        List<String> more = second.equals("--verify") ? List.of(first, second, "full")
                : List.of(first, second);
        Agent target = receive("workload:64MiB", "--linger", "500ms");
        Agent source = migrate("workload:64MiB?set=32MiB&rate=30MiB/s", target.address(),
                more.toArray(String[]::new));
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
