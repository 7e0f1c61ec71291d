package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoTools;
import io.pageferry.agent.demo.TestMachines;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A QEMU guest that dirties its memory faster than a link carries it does not converge, and the
 * same one does with a throttle. It writes one word of each page, so TCG dirties 200 to 500 MiB
 * per second of what does not compress, and half of that or less while it is tracked. A round
 * tells less: a guest that has written all of its pages dirties no more. So it is asked itself.
 */
@Tag("timing")
class GigabitThrottleTest extends WithRig {
    private static final long GIGABIT = 1_000_000_000;

    @Test
    void convergesWithAThrottleAndNotWithout() throws IOException {
        E2e.needTracking();
        DemoTools tools = TestMachines.tools();
        try (BareGuest here = BareGuest.booting(tools, folder, "here", BareProgram.WRITES);
                BareGuest there = BareGuest.waiting(tools, folder, "there", BareProgram.WRITES)) {
            NarrowLink writes = new NarrowLink(here.bytesPerSecond());
            System.out.println(writes);

            Agent slowed = null;
            Agent second = null;
            // Tracked, and beside two agents, it writes a sixth of what it did, or all of it where
            // it was measured in a slow moment: then no throttle is enough for the first link, and
            // a wider one is outrun, too.
            for (double times = 12; slowed == null || slowed.exit() == 4 && times > 0.3;
                    times /= 2) {
                String[] narrow = {"--on-no-convergence", "abort", "--bandwidth",
                    writes.carrying(times, GIGABIT)};
                Agent target = receive(there.uri());
                Agent plain = migrate(here.uri(), target.address(), narrow);
                E2e.assertEnds(4, "failed", plain);
                E2e.assertEnds(4, "failed", target);
                assertEquals("not-converging", plain.report().at("/error/code").asText(),
                        plain::toString);
                print(plain.report());
                here.countsOn();

                second = receive(there.uri());
                slowed = migrate(here.uri(), second.address(), with(List.of(narrow),
                        "--throttle", "auto", "--max-stolen", "95%").toArray(String[]::new));
            }
            E2e.assertMoved(slowed, second);
            String words = slowed.toString();
            ObjectNode report = slowed.report();
            print(report);
            assertEquals("budget", report.path("stopReason").asText());
            assertTrue(slowed.words().contains("the guest writes too fast"), words);
            // Measured from what the vCPUs' threads got, not from what was set.
            assertTrue(report.at("/guestSlowdown/stolenMs").asDouble() > 0, words);
            assertTrue(report.at("/guestSlowdown/maxThrottlePercent").asInt() >= 10,
                    words);
            assertTrue(report.at("/guestSlowdown/by").isTextual(), words);
            there.countsOn();
            assertEquals(0, there.bad(), "the guest found other contents than it wrote");
            assertEquals("gone", here.condition());
        }
        rig.awaitNothingLeft();
    }

    private static void print(ObjectNode report) {
        report.path("rounds").forEach(round -> System.out.println(round.path("durationMs")
                + " ms, " + round.path("dirtyPages") + " dirty, "
                + round.path("dirtyBytesPerSecond").asLong() / (1 << 20) + " MiB/s against "
                + round.path("wireBytesPerSecond").asLong() / (1 << 20) + ", "
                + round.path("throttlePercent") + " %"));
        System.out.println(report.path("guestSlowdown") + ", downtime "
                + report.path("downtimeMs") + " ms, total " + report.path("totalMs") + " ms");
    }
}
