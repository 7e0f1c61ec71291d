package io.pageferry.bench.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/** QEMU moves a guest itself, RAM and all, over TCP on the loopback interface. */
final class OwnMove {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    /** Asking holds QEMU's main loop up: seldom. Its figures are its own, not ours. */
    private static final long LOOK_NANOS = 20_000_000;
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private OwnMove() {
    }

    /**
     * What QEMU reports of a move.
     *
     * @param totalMillis    total-time
     * @param downtimeMillis downtime
     * @param wireBytes      of RAM, transferred
     */
    record Told(double totalMillis, double downtimeMillis, long wireBytes) { }

    /**
     * Checks whether this QEMU has what a peer needs.
     *
     * @param qemu running or waiting
     * @param peer to ask for
     * @return null, or what QEMU reports against it
     * @throws IOException when the monitor fails
     */
    static String objection(DemoQemu qemu, Peer peer) throws IOException {
        try (QemuControl control = qemu.control()) {
            prepare(control, peer);
            return null;
        } catch (QmpException e) {
            if (e.kind() != QmpException.Kind.REFUSED) {
                throw e;
            }
            return e.desc();
        }
    }

    /**
     * Moves a guest. The target starts on its own as soon as it has all, as one without {@code -S}
     * does: no client's round trip is in the silence.
     *
     * @param from runs
     * @param to   waits
     * @param peer one of QEMU's ways
     * @return what the source's QEMU reports of it
     * @throws IOException when it did not complete, with QEMU's reason
     */
    static Told move(DemoQemu from, DemoQemu to, Peer peer) throws IOException {
        try (QemuControl source = from.control(); QemuControl target = to.control()) {
            prepare(source, peer);
            prepare(target, peer);
            target.qmp().execute("migrate-incoming", uri(0));
            target.qmp().execute("cont");
            JsonNode address = target.qmp().execute("query-migrate").path("socket-address")
                    .path(0);
            source.qmp().execute("migrate", uri(address.path("port").asInt()));
            long deadline = System.nanoTime() + LIMIT.toNanos();
            while (source.migration().active()) {
                if (System.nanoTime() - deadline > 0) {
                    throw new IOException("QEMU's migration took longer than " + LIMIT);
                }
                LockSupport.parkNanos(LOOK_NANOS);
            }
            JsonNode end = source.qmp().execute("query-migrate");
            if (!end.path("status").asText().equals("completed")) {
                throw new IOException("QEMU's migration: " + end.path("status").asText() + " "
                        + end.path("error-desc").asText());
            }
            return new Told(end.path("total-time").asDouble(), end.path("downtime").asDouble(),
                    end.path("ram").path("transferred").asLong());
        }
    }

    private static ObjectNode uri(int port) {
        return JSON.objectNode().put("uri", "tcp:127.0.0.1:" + port);
    }

    private static void prepare(QemuControl control, Peer peer) throws IOException {
        onlyOn(control, peer.capabilities());
        control.qmp().execute("migrate-set-parameters", peer.parameters());
    }

    /**
     * Sets capabilities, and all others off.
     *
     * @param control  of a QEMU that does not migrate now
     * @param wanted   to be on
     * @throws IOException when it refuses
     */
    static void onlyOn(QemuControl control, Map<String, Boolean> wanted) throws IOException {
        Map<String, Boolean> change = new TreeMap<>();
        control.capabilities().forEach((name, on) -> {
            if (on) {
                change.put(name, false);
            }
        });
        change.putAll(wanted);
        control.setCapabilities(change);
    }
}
