package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.e2e.Agent.Start;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two network namespaces joined by a cable: for the network, two hosts. */
@Sampled
class TwoHostsTest {
    private static final String GUEST = "workload:64MiB?rate=8MiB/s";

    @TempDir
    Path folder;

    private Rig rig;
    private TwoHosts hosts;

    @BeforeEach
    void connect() throws IOException {
        rig = new Rig(folder);
        hosts = TwoHosts.connect("192.0.2.1/24", "192.0.2.2/24");
    }

    @AfterEach
    void disconnect() throws IOException {
        rig.close();
        if (hosts != null) {
            hosts.close();
        }
    }

    @Test
    void aGuestMovesToAnotherHost() throws IOException {
        Agent target = rig.start(on(hosts.right(), List.of("receive", GUEST, "--listen",
                "192.0.2.2:0", "--insecure", "--once", "--linger", "500ms")));
        Agent source = rig.start(on(hosts.left(), List.of("migrate", GUEST, "--to",
                target.address(), "--insecure")));
        E2e.assertMoved(source, target);
        JsonNode check = target.report().path("guestCheck");
        assertEquals(0, check.path("failures").asLong(-1), target::toString);
        assertEquals(0, check.path("lostTicks").asLong(-1), target::toString);
        rig.awaitNothingLeft();
    }

    @Test
    void anotherHostIsOnlyReachedWhenThatWasAskedFor() throws IOException {
        Agent source = rig.start(on(hosts.left(), List.of("migrate", GUEST, "--to",
                "192.0.2.2:4477")));
        E2e.assertEnds(2, "refused", source);
        Agent target = rig.start(on(hosts.right(), List.of("receive", GUEST, "--listen",
                "192.0.2.2:0")));
        E2e.assertEnds(2, "refused", target);
    }

    private static Start on(List<String> host, List<String> arguments) {
        return new Start(host, List.of(), arguments);
    }
}
