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
 *
 * <p>QEMU holds the lock of the node that is named while it drains. Where that node is served by an
 * iothread, whose requests then wait for the lock, QEMU 7.2 hangs for ever (seen). So the node is
 * one of our own, which is no disk's and belongs to the main loop.
 */
public final class DiskDrain implements DrainedTracker.Drain {
    private static final String PREFIX = "pageferry-drain-";
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final QemuControl qemu;
    private final String node;
    private final Duration limit;

    private DiskDrain(QemuControl qemu, String node, Duration limit) {
        this.qemu = qemu;
        this.node = node;
        this.limit = limit;
    }

    /**
     * Makes one and tries it.
     *
     * @param qemu  its monitor
     * @param limit longest wait for its disks; one that hangs for longer is not moved
     * @return the drain, or null where this QEMU cannot do it
     * @throws QmpException when the monitor is gone, or a disk hangs
     */
    public static DiskDrain open(QemuControl qemu, Duration limit) throws QmpException {
        DiskDrain drain = new DiskDrain(qemu, PREFIX + ProcessHandle.current().pid(), limit);
        try {
            qemu.qmp().execute("blockdev-add", JSON.objectNode().put("driver", "null-co")
                    .put("node-name", drain.node).put("read-zeroes", true));
        } catch (QmpException e) {
            if (e.kind() != Kind.REFUSED) {
                throw e;
            }
            return null;
        }
        if (drain.answer().isEmpty()) {
            return drain;
        }
        drain.close();
        return null;
    }

    /**
     * Removes what agents that died left in a QEMU.
     *
     * @param qemu its monitor
     * @throws QmpException when it does not answer
     */
    public static void cleanUp(QemuControl qemu) throws QmpException {
        for (JsonNode one : qemu.qmp().execute("query-named-block-nodes")) {
            String name = one.path("node-name").asText();
            if (name.startsWith(PREFIX)) {
                qemu.qmp().execute("blockdev-del", JSON.objectNode().put("node-name", name));
            }
        }
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
            return qemu.qmp().execute("human-monitor-command", JSON.objectNode()
                    .put("command-line", "qemu-io " + node + " aio_flush"), limit).asText()
                    .strip();
        } catch (QmpException e) {
            if (e.kind() != Kind.REFUSED) {
                throw e;
            }
            return e.desc();
        }
    }

    /** Removes its node; what is no longer there is left. */
    @Override
    public void close() {
        try {
            qemu.qmp().execute("blockdev-del", JSON.objectNode().put("node-name", node));
        } catch (QmpException e) {
            return; // QEMU ended, and its nodes with it
        }
    }
}
