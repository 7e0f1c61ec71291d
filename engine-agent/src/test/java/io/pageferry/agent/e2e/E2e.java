package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** What these tests want of the machine, and what they say of reports. */
final class E2e {
    /** About the least that {@link DemoMachine} takes for {@link #CALM}: all of it is sent. */
    static final long MEMORY = 114L << 20;

    /**
     * Enough writes to be seen, where what is tested is not how many there are. With a tick every
     * 10 ms and twice the writes a guest takes 0.6 of a processor as long as it lives, so 0.2.
     */
    static final GuestLoad CALM = new GuestLoad(50, 16, 512, 0, 0, false);

    private E2e() {
    }

    /** A guest of one vCPU, or a skipped test. */
    static DemoMachine machine(GuestLoad load) {
        needTracking();
        return new DemoMachine(TestMachines.tools(), load, load == CALM ? MEMORY : 160L << 20);
    }

    static void needTracking() {
        List<KernelProbe.Step> steps = KernelProbe.run();
        Assumptions.assumeTrue(KernelProbe.canTrackOthers(steps), KernelProbe.summary(steps));
    }

    /** The end of a command, by exit code and by the report's word. */
    static void assertEnds(int exit, String result, Agent agent) throws IOException {
        assertEquals(exit, agent.exit(), agent::toString);
        assertEquals(result, agent.report().path("result").asText(), agent::toString);
    }

    /** A move that both sides call done, with equal digests; and with a whole audit, if any. */
    static void assertMoved(Agent source, Agent target) throws IOException {
        assertArrived(source, target);
        if (source.toString().contains("--audit")) {
            JsonNode audit = source.report().at("/verification/audit");
            assertEquals(source.report().at("/guest/memoryBytes").asLong(),
                    audit.path("pages").asLong() * 4096, source::toString);
            assertEquals(0, audit.path("differing").asLong(), source::toString);
        }
    }

    /** The same where the link was cut behind the grant: an audit ends with its link. */
    static void assertArrived(Agent source, Agent target) throws IOException {
        assertEnds(0, "completed", source);
        assertEnds(0, "completed", target);
        for (Agent agent : List.of(source, target)) {
            ObjectNode report = agent.report();
            assertEquals("target", report.at("/owner/side").asText(), agent::toString);
            assertTrue(report.at("/verification/match").asBoolean(), agent::toString);
        }
        String digest = source.report().at("/verification/sourceDigest").asText();
        assertEquals(16, digest.length());
        assertEquals(digest, source.report().at("/verification/targetDigest").asText());
        assertEquals(digest, target.report().at("/verification/sourceDigest").asText());
        assertEquals(digest, target.report().at("/verification/targetDigest").asText());
    }
}
