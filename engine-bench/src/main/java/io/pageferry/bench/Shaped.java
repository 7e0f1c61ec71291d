package io.pageferry.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.host.process.ChildJvm;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs a benchmark in a network namespace of its own, whose loopback interface has a rate. The
 * namespace is made for that one process and goes with it: nothing is left to clean up.
 */
public final class Shaped {
    /** A burst of one large segment, and of what 10 Gbit/s send in a tick of a slow clock. */
    private static final String SCRIPT = """
            ip link set lo up && tc qdisc add dev lo root tbf rate "$0" burst 512kb latency 50ms \
            && exec "$@"
            """;

    private Shaped() {
    }

    /**
     * Runs a benchmark over a shaped link.
     *
     * @param bitsPerSecond of the loopback interface, 0 for this host's own as it is
     * @param arguments     behind {@code bench}
     * @return its rows
     * @throws IOException when namespaces or tc are not available here, or it ended without rows
     */
    public static List<JsonNode> rows(long bitsPerSecond, List<String> arguments)
            throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        result(bitsPerSecond, arguments).path("rows").forEach(rows::add);
        return rows;
    }

    /**
     * Does the same and returns all of the result.
     *
     * @param bitsPerSecond as above
     * @param arguments     as above
     * @return the result, with rows
     * @throws IOException as above
     */
    static ObjectNode result(long bitsPerSecond, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        if (bitsPerSecond > 0) {
            command.addAll(List.of("unshare", "--net", "sh", "-c", SCRIPT,
                    bitsPerSecond + "bit"));
        }
        List<String> bench = new ArrayList<>(List.of("bench"));
        bench.addAll(arguments);
        bench.add("--json");
        command.addAll(ChildJvm.command(List.of(), bench));
        try {
            return BenchProcess.result(command);
        } catch (IOException e) {
            throw new IOException("no figures from a link of " + bitsPerSecond + " bit/s, which"
                    + " takes root, unshare, ip, and tc with tbf: " + e.getMessage(), e);
        }
    }
}
