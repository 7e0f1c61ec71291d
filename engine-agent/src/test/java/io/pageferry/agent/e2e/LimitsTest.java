package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the operator allows of the link, of time and of the guest, between two real agents. */
@Tag("timing")
class LimitsTest extends WithRig {
    /** Writes 100 MiB/s into 16 MiB, where the machine lets it. */
    private static final String FAST = "workload:64MiB?set=16MiB&rate=100MiB/s&fill=random";

    private static final long MOST = 400_000_000;

    /** Over it FAST does not converge by itself; measured once. */
    private static NarrowLink narrow;

    private List<String> narrow(double times) throws IOException {
        if (narrow == null) {
            Agent target = receive(FAST);
            Agent source = migrate(FAST, target.address(), List.of(NarrowLink.MEASURE));
            source.exit();
            narrow = NarrowLink.of(source.report());
        }
        return List.of("--bandwidth", narrow.carrying(times, MOST));
    }

    private List<String> narrowOrAbort(double times) throws IOException {
        return with(narrow(times), "--max-downtime", "200ms", "--on-no-convergence", "abort");
    }

    @Test
    void noSecondCarriesMoreThanTheBandwidth() throws IOException {
        long rate = 100_000_000 / 8;
        Agent target = receive("workload:40MiB");
        try (CountingRelay relay = new CountingRelay(target.address())) {
            Agent source = migrate("workload:40MiB?rate=1MiB/s&fill=random", relay.address(),
                    List.of("--bandwidth", "100Mbit/s"));
            E2e.assertMoved(source, target);
            long most = relay.mostInASecond();
            double late = relay.latestNanos() / 1e9;
            assertTrue(most <= 1.03 * rate * (1 + late),
                    () -> most + " bytes in a second, threads late by " + late + " s");
            assertTrue(relay.total() > 3 * rate, "over too soon to say anything");
            JsonNode first = source.report().path("rounds").path(0);
            assertTrue(first.path("durationMs").asDouble() > 2_000, source::toString);
            assertTrue(first.path("wireBytesPerSecond").asDouble() <= 1.03 * rate,
                    source::toString);
        }
    }

    @Test
    void aGuestThatWritesTooFastDoesNotConvergeAlone() throws IOException {
        Agent target = receive(FAST);
        Agent source = migrate(FAST, target.address(), narrowOrAbort(3));
        E2e.assertEnds(4, "failed", source);
        assertEquals("not-converging", source.report().at("/error/code").asText());
        String remedy = source.report().at("/error/remedy").asText();
        assertTrue(remedy.contains("--throttle auto") && remedy.contains("--max-switchover"),
                remedy);
        assertSound(source, "failures");
        E2e.assertEnds(4, "failed", target);
    }

    @Test
    void slowedDownItConvergesAndTheReportSaysWhatItCost() throws IOException {
        // Without a throttle it writes too much, and a third of it is few enough.
        double times = 2;
        Move move = slowed(times);
        // It was measured in a slow moment, and a third of it is still more than the link carries:
        // the link is made wider. Or in a fast one, and it needed next to no throttle: narrower.
        for (int tries = 1; tries < 6; tries++) {
            if (move.source.exit() == 4) {
                times /= 2;
            } else if (move.strongest() < 10) {
                times *= 1.5;
            } else {
                break;
            }
            move = slowed(times);
        }
        Agent source = move.source;
        Agent target = move.target;
        E2e.assertMoved(source, target);
        JsonNode slowdown = source.report().path("guestSlowdown");
        double percent = slowdown.path("percent").asDouble();
        assertTrue(percent > 0 && percent <= 71, source::toString);
        assertTrue(slowdown.path("stolenMs").asDouble() > 0, source::toString);
        double most = slowdown.path("maxThrottlePercent").asDouble();
        assertTrue(most >= 10 && most <= 99, source::toString);
        double strongest = 0;
        for (JsonNode round : source.report().path("rounds")) {
            double taken = round.path("throttlePercent").asDouble(-1);
            assertTrue(taken >= 0 && taken <= 100, source::toString);
            strongest = Math.max(strongest, taken);
        }
        assertTrue(strongest > 5, source::toString);
        assertEquals(0, target.report().at("/guestCheck/failures").asLong(-1), target::toString);
        assertEquals(0, target.report().at("/guestCheck/lostTicks").asLong(-1), target::toString);
    }

    private record Move(Agent source, Agent target) {
        /** {@return the strongest throttle that it took, in percent; 0 where it took none} */
        double strongest() throws IOException {
            return source.report().at("/guestSlowdown/maxThrottlePercent").asDouble();
        }
    }

    private Move slowed(double times) throws IOException {
        Agent target = receive(FAST);
        Agent source = migrate(FAST, target.address(), with(narrowOrAbort(times), "--throttle",
                "auto", "--max-stolen", "70%"));
        return new Move(source, target);
    }

    @Test
    void theClassicQuotaHoldsUnderTheClassicPolicy() throws IOException {
        Agent target = receive(FAST);
        Agent source = migrate(FAST, target.address(), List.of("--bandwidth", "400Mbit/s",
                "--policy", "kvm-classic", "--throttle", "auto"));
        E2e.assertMoved(source, target);
        assertTrue(source.report().at("/guestSlowdown/stolenMs").asDouble() > 0,
                source::toString);
        JsonNode rounds = source.report().path("rounds");
        for (int i = 0; i < rounds.size() - 1; i++) {
            // 40 pages and their versions in 10 ms, and the period that had begun.
            double seconds = rounds.path(i).path("durationMs").asDouble() / 1_000;
            double pages = rounds.path(i).path("dirtyBytesPerSecond").asDouble() / 4096 * seconds;
            assertTrue(pages <= 40 * (seconds * 100 + 2) + 10 + 4_000 * 0.01, source::toString);
        }
    }

    @Test
    void aFixedThrottleHoldsFromTheFirstRoundOn() throws IOException {
        String guest = "workload:64MiB?set=32MiB&rate=10MiB/s&fill=random";
        Agent target = receive(guest);
        Agent source = migrate(guest, target.address(), List.of("--throttle", "60%",
                "--bandwidth", "200Mbit/s"));
        E2e.assertMoved(source, target);
        double first = source.report().at("/rounds/0/throttlePercent").asDouble();
        assertTrue(first > 40 && first < 75, source::toString);
        assertEquals(60, source.report().at("/guestSlowdown/maxThrottlePercent").asDouble(), 15);
    }

    @Test
    void timeThatIsUpEndsPrecopyWhereTheOperatorSaysSo() throws IOException {
        Agent target = receive(FAST);
        Agent source = heldUntilTimeIsUp(target, "stop-and-copy");
        E2e.assertMoved(source, target);
        assertEquals("timeout", source.report().path("stopReason").asText(), source::toString);
    }

    @Test
    void timeThatIsUpEndsTheMoveWhereTheOperatorSaysSo() throws IOException {
        Agent target = receive(FAST);
        Agent source = heldUntilTimeIsUp(target, "abort");
        E2e.assertEnds(4, "failed", source);
        assertEquals("not-converging", source.report().at("/error/code").asText());
        assertSound(source, "failures");
    }

    /** Round 0 takes a tenth of the time; behind it the source stands still for the rest. */
    private Agent heldUntilTimeIsUp(Agent target, String choice) throws IOException {
        Agent source = rig.start("round 0", List.of("migrate", FAST, "--to", target.address(),
                "--bandwidth", "400Mbit/s", "--max-downtime", "1ms", "--timeout", "4s",
                "--on-no-convergence", choice, "--linger", "300ms"));
        source.awaitHold("round 0");
        long since = System.nanoTime();
        Poll.until(() -> System.nanoTime() - since >= 4_000_000_000L, () -> "time stands still");
        source.goOn();
        return source;
    }

    @Test
    void timeThatIsUpInTheFirstRoundEndsIt() throws IOException {
        Agent target = receive(FAST);
        Agent source = migrate(FAST, target.address(), List.of("--bandwidth", "20Mbit/s",
                "--timeout", "500ms"));
        E2e.assertEnds(4, "failed", source);
        assertEquals("deadline", source.report().at("/error/code").asText(), source::toString);
        assertSound(source, "failures");
    }

    @Test
    void aPauseThatWouldBeTooLongIsNotBegun() throws IOException {
        Agent target = receive(FAST);
        Agent source = migrate(FAST, target.address(), with(narrow(3), "--max-downtime", "61ms",
                "--max-switchover", "100ms"));
        E2e.assertEnds(4, "failed", source);
        assertTrue(source.report().at("/error/reason").asText().contains("--max-switchover"),
                source::toString);
        assertEquals(0, source.events().stream()
                .filter(event -> event.path("state").asText().equals("switchover")).count());
        assertSound(source, "failures");
    }

    private Agent receive(String guest) throws IOException {
        return receive(guest, "--linger", "300ms");
    }

    private Agent migrate(String guest, String to, List<String> options) throws IOException {
        return migrate(guest, to, with(options, "--linger", "300ms").toArray(String[]::new));
    }

    private static void assertSound(Agent agent, String field) throws IOException {
        assertEquals(0, agent.report().at("/guestCheck/" + field).asLong(-1), agent::toString);
    }
}
