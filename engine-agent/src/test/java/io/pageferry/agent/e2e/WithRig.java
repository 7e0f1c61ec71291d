package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Tests that move guests by the two commands, with a rig for each of them. */
@Sampled
abstract class WithRig {
    @TempDir
    Path folder;

    Rig rig;

    @BeforeEach
    final void makeRig() throws IOException {
        rig = new Rig(folder);
    }

    @AfterEach
    final void endRig() throws IOException {
        rig.close();
    }

    /** Starts {@code receive --once} on a free port, and returns when it listens. */
    final Agent receive(String guest, String... more) throws IOException {
        Agent agent = rig.start("", with(List.of("receive", guest, "--listen", "127.0.0.1:0",
                "--once"), more));
        agent.address();
        return agent;
    }

    /** Starts {@code migrate}. */
    final Agent migrate(String guest, String to, String... more) throws IOException {
        return rig.start("", with(List.of("migrate", guest, "--to", to), more));
    }

    /** Kills a source where it has granted its guest; returns what its journal says of it. */
    final ObjectNode killedWhenGranted(String guest, String to, String... more)
            throws IOException {
        Agent source = rig.start("granted", with(List.of("migrate", guest, "--to", to), more));
        source.awaitHold("granted");
        source.kill();
        Agent status = rig.start("", List.of("status"));
        assertEquals(0, status.exit(), status::toString);
        ObjectNode entry = status.await("journal of the source", event ->
                event.path("side").asText().equals("source"));
        assertEquals("granted", entry.path("state").asText(), status::toString);
        return entry;
    }

    /** Starts {@code settle}. */
    final Agent settle(String migration, String... more) throws IOException {
        return rig.start("", with(List.of("settle", migration), more));
    }

    /** Cuts the cable of a source that stands still after round 0: it moves all the same. */
    static void assertSurvivesACut(Cable cable, Agent source, Agent target) throws IOException {
        source.awaitHold("round 0");
        cable.cut(true);
        source.goOn();
        E2e.assertMoved(source, target);
        assertTrue(source.report().at("/reconnects").asInt() >= 1, source::toString);
    }

    static List<String> with(List<String> some, String... more) {
        List<String> all = new ArrayList<>(some);
        all.addAll(List.of(more));
        return all;
    }
}
