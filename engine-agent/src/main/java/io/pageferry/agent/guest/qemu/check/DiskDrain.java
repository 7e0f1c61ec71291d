package io.pageferry.agent.guest.qemu.check;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import io.pageferry.core.dirty.DrainedTracker;
import java.io.IOException;
import java.time.Duration;

/**
 * Waits until every request of a QEMU's disks is complete, by {@code aio_flush} of its monitor,
 * which drains all of them, whichever node is named. The guest runs on; its new requests wait that
 * long: 2 ms where the disks are idle. Any thread.
 */
public final class DiskDrain implements DrainedTracker.Drain {
    /** A disk that hangs for longer keeps a guest from being moved. */
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final QemuControl qemu;
    private final String node;

    private DiskDrain(QemuControl qemu, String node) {
        this.qemu = qemu;
        this.node = node;
    }

    /**
     * Tries it.
     *
     * @param qemu its monitor
     * @return the drain, or null where this QEMU has no disk, or cannot do it
     * @throws QmpException when the monitor is gone
     */
    public static DiskDrain tryOut(QemuControl qemu) throws QmpException {
        for (JsonNode one : qemu.qmp().execute("query-named-block-nodes")) {
            String node = one.path("node-name").asText();
            if (!node.isEmpty()) {
                DiskDrain drain = new DiskDrain(qemu, node);
                return drain.answer().isEmpty() ? drain : null;
            }
        }
        return null;
    }

    @Override
    public void run() throws IOException {
        String answer = answer();
        if (!answer.isEmpty()) {
            throw new IOException("QEMU says: " + answer);
        }
    }

    /** What QEMU says to it: nothing, where it did it. */
    private String answer() throws QmpException {
        try {
            return qemu.qmp().execute("human-monitor-command", JsonNodeFactory.instance
                    .objectNode().put("command-line", "qemu-io " + node + " aio_flush"), LIMIT)
                    .asText().strip();
        } catch (QmpException e) {
            if (e.kind() != Kind.REFUSED) {
                throw e;
            }
            return e.desc();
        }
    }
}
