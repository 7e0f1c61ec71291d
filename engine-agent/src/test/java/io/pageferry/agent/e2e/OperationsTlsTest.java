package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.Agent.Start;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command lines of docs/OPERATIONS.md for TLS, run as they stand on two hosts. */
@Sampled
class OperationsTlsTest {
    @TempDir
    Path folder;

    private Rig rig;
    private TwoHosts hosts;
    private ProcessHandle source;
    private ProcessHandle target;

    @BeforeEach
    void connect() throws IOException {
        rig = new Rig(folder);
        hosts = TwoHosts.connect("10.0.0.1/24", "10.0.0.2/24");
        source = hosts.alone(hosts.left());
        target = hosts.alone(hosts.right());
    }

    @AfterEach
    void disconnect() throws IOException {
        if (rig != null) {
            rig.close();
        }
        if (hosts != null) {
            hosts.close();
        }
    }

    private static List<String> lines() throws IOException {
        List<String> all = Files.readAllLines(Path.of("../docs/OPERATIONS.md"));
        return all.subList(all.indexOf("### TLS") + 1, all.size()).stream()
                .takeWhile(line -> !line.startsWith("#"))
                .filter(line -> line.startsWith("    pageferry ")).toList();
    }

    private static Start at(ProcessHandle host, String line) {
        List<String> words = List.of(line.strip().split(" +"));
        return new Start(TwoHosts.at(host), List.of(), words.subList(1, words.size()));
    }

    /** As scp would; each host has a /run of its own. */
    private void copy(String file) throws IOException {
        Path from = Path.of("/proc", Long.toString(source.pid()), "root/run/trust", file);
        Path to = Path.of("/proc", Long.toString(target.pid()), "root/run/trust", file);
        Files.createDirectories(to.getParent());
        Files.copy(from, to);
    }

    @Test
    void theLinesMakeCertificatesAndMoveAGuest() throws IOException {
        List<String> lines = lines();
        assertEquals(6, lines.size(), lines::toString);
        for (String line : lines.subList(0, 4)) {
            Agent trust = rig.command(at(source, line));
            assertEquals(0, trust.exit(), trust::toString);
        }
        for (String file : List.of("ca.crt", "target.crt", "target.key")) {
            copy(file);
        }
        Agent receive = rig.start(at(target, lines.get(4)));
        receive.address();
        Agent migrate = rig.start(at(source, lines.get(5)));
        E2e.assertMoved(migrate, receive);
        assertTrue(migrate.report().path("tls").asBoolean(), migrate::toString);
        rig.awaitNothingLeft();
    }
}
