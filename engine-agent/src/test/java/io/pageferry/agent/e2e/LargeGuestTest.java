package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.e2e.Agent.Start;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A guest far larger than this machine's memory, most of it holes. */
class LargeGuestTest extends WithRig {
    private static final long SET = 128L << 20;

    /** The set, a heap of at most 128 MiB, and what a JVM needs beside it. */
    private static final long MOST_KIB = (SET >> 10) + (384 << 10);

    /** To protect 64 GiB page by page would take 128 MiB. */
    private static final long MOST_PAGE_TABLES_KIB = 16 << 10;

    @Test
    void aSparseGuestCostsWhatIsWrittenAndNotItsSize() throws IOException {
        Agent target = small("receive", "workload:64GiB", "--listen", "127.0.0.1:0", "--once",
                "--linger", "2s");
        String address = target.address();
        Agent source = small("migrate", "workload:64GiB?set=128MiB&rate=10MiB/s", "--to", address);
        target.awaitState("receiving");
        // The source stands in pre-copy then, its tracker armed, and can be looked at.
        target.signal(Signal.STOP);
        source.awaitState("precopy");
        assertSmall(source);
        target.signal(Signal.CONT);
        target.awaitState("running");
        assertSmall(target);
        E2e.assertMoved(source, target);
        long wire = source.report().path("wireBytes").asLong();
        assertTrue(wire > 0 && wire < 2 * SET, source::toString);
        JsonNode check = target.report().path("guestCheck");
        assertEquals(0, check.path("failures").asLong(-1), target::toString);
        assertEquals(0, check.path("lostTicks").asLong(-1), target::toString);
        assertEquals(64L << 30, source.report().at("/guest/memoryBytes").asLong());
        rig.awaitNothingLeft();
    }

    private Agent small(String... arguments) throws IOException {
        return rig.start(new Start(List.of(), List.of("-Xmx128m"), List.of(arguments)));
    }

    private static void assertSmall(Agent agent) throws IOException {
        long resident = kib(agent, "VmRSS:");
        long tables = kib(agent, "VmPTE:");
        assertTrue(resident < MOST_KIB, () -> resident + " KiB resident: " + agent);
        assertTrue(tables < MOST_PAGE_TABLES_KIB, () -> tables + " KiB of page tables: " + agent);
        System.out.println(resident + " KiB resident, " + tables + " KiB of page tables");
    }

    private static long kib(Agent agent, String name) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(agent.pid()),
                "status"))) {
            String line = lines.filter(one -> one.startsWith(name)).findFirst().orElseThrow();
            return Long.parseLong(line.replaceAll("\\D", ""));
        }
    }
}
