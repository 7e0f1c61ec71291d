package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.e2e.Agent.Start;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two network namespaces joined by a cable: for the network, two hosts. */
@Timeout(120)
class TwoHostsTest {
    private static final String GUEST = "workload:64MiB?rate=8MiB/s";

    @TempDir
    Path folder;

    private final String mark = Long.toString(ProcessHandle.current().pid());
    private final String left = "pf" + mark + "a";
    private final String right = "pf" + mark + "b";
    private Rig rig;

    @BeforeEach
    void connect() throws IOException {
        rig = new Rig(folder);
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/sbin/ip"))
                || Files.isExecutable(Path.of("/sbin/ip")), "no ip command: install iproute2");
        String refused = ip("netns", "add", left);
        Assumptions.assumeTrue(refused.isEmpty(),
                "network namespaces cannot be made, run as root: " + refused);
        must("netns", "add", right);
        must("link", "add", left, "netns", left, "type", "veth",
                "peer", "name", right, "netns", right);
        address(left, "192.0.2.1/24");
        address(right, "192.0.2.2/24");
    }

    private void address(String host, String address) throws IOException {
        must("-n", host, "address", "add", address, "dev", host);
        must("-n", host, "link", "set", host, "up");
        must("-n", host, "link", "set", "lo", "up");
    }

    @AfterEach
    void disconnect() throws IOException {
        rig.close();
        // With a namespace goes its end of the cable, and with that the other end.
        ip("netns", "delete", left);
        ip("netns", "delete", right);
    }

    @Test
    void aGuestMovesToAnotherHost() throws IOException {
        Agent target = rig.start(on(right, List.of("receive", GUEST, "--listen", "192.0.2.2:0",
                "--insecure", "--once", "--linger", "500ms")));
        Agent source = rig.start(on(left, List.of("migrate", GUEST, "--to", target.address(),
                "--insecure")));
        E2e.assertMoved(source, target);
        JsonNode check = target.report().path("guestCheck");
        assertEquals(0, check.path("failures").asLong(-1), target::toString);
        assertEquals(0, check.path("lostTicks").asLong(-1), target::toString);
        rig.awaitNothingLeft();
    }

    @Test
    void anotherHostIsOnlyReachedWhenThatWasAskedFor() throws IOException {
        Agent source = rig.start(on(left, List.of("migrate", GUEST, "--to", "192.0.2.2:4477")));
        E2e.assertEnds(2, "refused", source);
        Agent target = rig.start(on(right, List.of("receive", GUEST, "--listen", "192.0.2.2:0")));
        E2e.assertEnds(2, "refused", target);
    }

    private static Start on(String host, List<String> arguments) {
        return new Start(List.of("ip", "netns", "exec", host), List.of(), arguments);
    }

    private static void must(String... arguments) throws IOException {
        String refused = ip(arguments);
        assertEquals("", refused, () -> "ip " + String.join(" ", arguments));
    }

    /** Returns its complaint, or nothing. */
    private static String ip(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments));
        Process ip = new ProcessBuilder(command).redirectErrorStream(true).start();
        String words = new String(ip.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            return ip.waitFor() == 0 ? "" : words.isBlank() ? "it failed" : words.strip();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", interrupted);
        }
    }
}
