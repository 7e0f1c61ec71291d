package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** A database of many processes that write one memory: all of them frozen, its image identical. */
class PostgresMoveTest extends WithRig {
    @Test
    void theImageIsWhatItsSegmentsHeld() throws IOException {
        Assumptions.assumeTrue(Postgres.isThere(), "no PostgreSQL here, or not root");
        try (Postgres database = new Postgres()) {
            Path image = folder.resolve("image");
            Agent target = receive("image:" + image);
            database.load();
            long begun = database.transactions();
            Agent tracked = migrate("process:" + database.pid(), target.address());
            E2e.assertEnds(3, "refused", tracked);
            assertTrue(tracked.report().at("/error/remedy").asText().contains("--tracker scan"),
                    tracked::toString);

            Agent source = rig.start("done", List.of("migrate", "process:" + database.pid(),
                    "--to", target.address(), "--tracker", "scan", "--after", "resume"));
            source.awaitHold("done");
            assertTrue(database.isLoaded(), "pgbench has ended");
            assertIdentical(image, database);
            assertEverybodyFrozen(database);
            source.goOn();
            E2e.assertMoved(source, target);
            assertTrue(database.transactions() > begun);
            assertEquals(List.of(), Frozen.groups(database.pid()));
            rig.awaitNothingLeft();
        }
    }

    /** Region by region, at the addresses where the postmaster has them. */
    private static void assertIdentical(Path image, Postgres database) throws IOException {
        JsonNode table = new ObjectMapper().readTree(
                image.resolveSibling("image.table").toFile());
        assertTrue(table.path("regions").size() >= 2, table::toString);
        boolean buffers = false;
        for (JsonNode region : table.path("regions")) {
            long size = region.path("size").asLong();
            assertEquals(-1, Frozen.mismatch(image, region.path("fileOffset").asLong(), size,
                    database.pid(), region.path("guestBase").asLong()), region::toString);
            buffers |= region.path("name").asText().equals("/dev/zero") && size > 32 << 20;
        }
        assertTrue(buffers, table::toString);
    }

    private static void assertEverybodyFrozen(Postgres database) throws IOException {
        List<Path> groups = Frozen.groups(database.pid());
        assertEquals(1, groups.size(), groups::toString);
        String inside = Files.readString(groups.getFirst().resolve("cgroup.procs"));
        List<Long> everybody = database.everybody();
        assertTrue(everybody.size() > 5, everybody::toString);
        for (long one : everybody) {
            assertTrue(inside.lines().anyMatch(line -> line.equals(Long.toString(one))),
                    one + " is not in " + inside);
        }
    }
}
