package io.pageferry.agent.guest.qemu.disk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.DiskCopies;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.StreamLink;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.round.Bandwidth;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;

/**
 * Copies a running QEMU's disks by its own mirror jobs, through NBD over a {@link Tunnel}. A job
 * first copies everything and then follows what the guest writes; ended while the guest is
 * paused, it leaves two equal disks and the source on its own. One thread.
 */
public final class DiskMirrors implements AutoCloseable {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String NODE = DiskExports.PREFIX + "nbd-";
    private static final String READY = "ready";
    /** Ready, and held up for a moment: {@code stop} holds every job, also one of an iothread. */
    private static final String STANDBY = "standby";
    private static final String CONCLUDED = "concluded";
    private static final long ASK_NANOS = 20_000_000L;
    private static final long POLL_NANOS = 1_000_000L;
    /** So long nothing may move while QEMU waits for blocks that are under way; the link may. */
    private static final long SILENCE_NANOS = 2_000_000_000L;
    /** Longest wait for the last blocks of a paused guest: a guest bounds its own waiting. */
    private static final long LAST_NANOS = 4_000_000_000L;
    /**
     * A job has so many bytes on their way at most, which QEMU's {@code stop} waits for: eight
     * windows of a stream, and no more than the whole rate carries in an eighth of a second.
     */
    private static final long MAX_FLIGHT = 8L * Message.STREAM_WINDOW;
    private static final long MIN_FLIGHT = 64 << 10;

    private final QemuControl qemu;
    private final StreamLink link;
    private final IntFunction<Path> sockets;
    private final Bandwidth bandwidth;
    private final List<Disk> disks;
    private final Map<String, Job> seen = new HashMap<>();
    private Tunnel tunnel;
    private long startNanos;
    private long readyNanos;
    private long nextAsk;
    private boolean ended;

    /** What query-jobs reports of one of ours. */
    private record Job(String status, long progress, long left, String error) { }

    /**
     * Looks which disks there are; changes nothing.
     *
     * @param qemu      the source
     * @param link      to the target
     * @param sockets   where to listen for QEMU, by number of the disk
     * @param bandwidth of all of the migration
     * @throws GuestException when there is none to copy
     * @throws QmpException   when QEMU does not answer
     */
    public DiskMirrors(QemuControl qemu, StreamLink link, IntFunction<Path> sockets,
            Bandwidth bandwidth)
            throws GuestException, QmpException {
        this.qemu = qemu;
        this.link = link;
        this.sockets = sockets;
        this.bandwidth = bandwidth;
        this.disks = Disk.of(qemu);
        if (disks.isEmpty() || disks.size() > Message.MAX_STREAMS) {
            throw new GuestException(ErrorCode.GUEST_MISMATCH, "the guest has " + disks.size()
                    + " disks that it can write to, and 1 to " + Message.MAX_STREAMS
                    + " can be copied", "leave --copy-storage out, or unplug some");
        }
    }

    /** {@return what the target has to know, for the attributes of the offer} */
    public Map<String, String> attributes() {
        Map<String, String> attributes = new HashMap<>();
        disks.forEach(disk -> attributes.put(DiskExports.ATTRIBUTE + disk.name(),
                Long.toString(disk.size())));
        return attributes;
    }

    /**
     * Begins at the first call, and looks how far it is.
     *
     * @return true from when every disk at the target is like here
     * @throws GuestException when a copy failed, or QEMU does not answer
     */
    public boolean ready() throws GuestException {
        if (readyNanos != 0) {
            return true;
        }
        long now = System.nanoTime();
        if (tunnel != null && now - nextAsk < 0) {
            return false;
        }
        nextAsk = now + ASK_NANOS;
        try {
            if (tunnel == null) {
                begin();
                return false;
            }
            for (Job job : jobs().values()) {
                if (!job.status().equals(READY)) {
                    return false;
                }
            }
            tunnel.limit(bandwidth.diskBytesPerSecondBesidePages());
            readyNanos = now;
            return true;
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private void begin() throws IOException {
        startNanos = System.nanoTime();
        List<Path> paths = new ArrayList<>();
        for (int i = 0; i < disks.size(); i++) {
            paths.add(sockets.apply(i));
        }
        tunnel = Tunnel.listening(link, paths, qemu::listen);
        tunnel.limit(bandwidth.diskBytesPerSecond());
        for (int i = 0; i < disks.size(); i++) {
            ObjectNode node = JSON.objectNode().put("driver", "nbd").put("node-name", NODE + i)
                    .put("export", DiskExports.PREFIX + i);
            node.putObject("server").put("type", "unix")
                    .put("path", SocketFolder.seenByQemu(paths.get(i)));
            qemu.qmp().execute("blockdev-add", node);
            qemu.qmp().execute("blockdev-mirror", JSON.objectNode()
                    .put("job-id", DiskExports.PREFIX + i).put("device", disks.get(i).node())
                    .put("target", NODE + i).put("sync", "full").put("auto-dismiss", false)
                    .put("buf-size", flight()));
        }
    }

    private long flight() {
        long rate = bandwidth.diskBytesPerSecond();
        return rate == 0 ? MAX_FLIGHT
                : Math.clamp(rate / 8 / disks.size(), MIN_FLIGHT, MAX_FLIGHT);
    }

    /** Ours; one that failed is an exception. */
    private Map<String, Job> jobs() throws QmpException, GuestException {
        Map<String, Job> jobs = new HashMap<>();
        for (JsonNode one : qemu.qmp().execute("query-jobs")) {
            String id = one.path("id").asText();
            if (id.startsWith(DiskExports.PREFIX)) {
                long progress = one.path("current-progress").asLong();
                Job job = new Job(one.path("status").asText(), progress,
                        one.path("total-progress").asLong() - progress,
                        one.path("error").asText(""));
                jobs.put(id, job);
                seen.put(id, job);
                if (!job.error().isEmpty()) {
                    throw failure(new IOException(job.error()));
                }
            }
        }
        if (jobs.size() != disks.size()) {
            throw failure(new IOException("somebody ended a mirror job of ours"));
        }
        return jobs;
    }

    /**
     * Bounds what a {@code stop} of QEMU takes, which waits for the blocks that are on their way:
     * where nothing of them moves and nothing comes from the peer for 2 s, the link is as good as
     * lost, and they fail. A disk that is slow is waited for.
     *
     * @return to be run when QEMU has stopped
     */
    public Runnable whileStopping() {
        if (tunnel == null) {
            return () -> { };
        }
        // Memory waits for the disks now.
        tunnel.limit(bandwidth.diskBytesPerSecond());
        return tunnel.endUnlessMoving(SILENCE_NANOS);
    }

    /**
     * Checks whether the last blocks can get there in time once the guest is paused.
     *
     * @throws GuestException when they cannot, because the guest writes faster than they are sent
     */
    public void requireClose() throws GuestException {
        try {
            long rate = bandwidth.diskBytesPerSecond();
            long left = jobs().values().stream().mapToLong(Job::left).sum();
            if (rate > 0 && left / (double) rate > LAST_NANOS / 1e9) {
                throw tooFast((left >> 20) + " MiB of the disks are not at the target yet");
            }
        } catch (QmpException e) {
            throw failure(e);
        }
    }

    /**
     * Ends the copies of a paused guest with all that it wrote: the disks are equal then.
     *
     * @throws GuestException when one did not get there
     */
    public void finish() throws GuestException {
        try {
            for (Map.Entry<String, Job> job : jobs().entrySet()) {
                if (!List.of(READY, STANDBY).contains(job.getValue().status())) {
                    throw failure(new IOException("mirror " + job.getKey() + " is "
                            + job.getValue().status()));
                }
                qemu.qmp().execute("block-job-cancel",
                        JSON.objectNode().put("device", job.getKey()));
            }
            long deadline = System.nanoTime() + LAST_NANOS;
            while (!jobs().values().stream().allMatch(job -> job.status().equals(CONCLUDED))) {
                if (System.nanoTime() - deadline >= 0) {
                    throw tooFast("the last blocks of the disks took too long");
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
            ended = true;
            cleanUp(qemu);
        } catch (QmpException e) {
            throw failure(e);
        }
    }

    /** {@return how far they are} */
    public DiskCopies copied() {
        List<DiskCopies.Disk> all = new ArrayList<>();
        for (int i = 0; i < disks.size(); i++) {
            Job job = seen.get(DiskExports.PREFIX + i);
            all.add(new DiskCopies.Disk(disks.get(i).name(), disks.get(i).size(),
                    job == null ? 0 : job.progress(),
                    job == null ? disks.get(i).size() : job.left()));
        }
        return new DiskCopies(all, tunnel == null ? 0 : tunnel.sentBytes(),
                readyNanos == 0 ? 0 : readyNanos - startNanos);
    }

    /** Ends what still goes on. The source's disks are its own and untouched. */
    @Override
    public void close() {
        if (tunnel == null) {
            return;
        }
        tunnel.close();
        if (!ended) {
            ended = true;
            try {
                cleanUp(qemu);
            } catch (QmpException e) {
                // A guard or settle tries again; the jobs have failed without their stream.
                return;
            }
        }
    }

    /**
     * Ends every copy that was begun in a QEMU, by any agent, and removes what it wrote to.
     *
     * @param qemu the source
     * @throws QmpException when QEMU does not answer
     */
    public static void cleanUp(QemuControl qemu) throws QmpException {
        long deadline = System.nanoTime() + LAST_NANOS;
        boolean left = true;
        while (left && System.nanoTime() - deadline < 0) {
            left = false;
            for (JsonNode one : qemu.qmp().execute("query-jobs")) {
                String id = one.path("id").asText();
                if (id.startsWith(DiskExports.PREFIX)) {
                    left = true;
                    end(qemu, id, one.path("status").asText());
                }
            }
            if (left) {
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
        for (JsonNode one : qemu.qmp().execute("query-named-block-nodes")) {
            String name = one.path("node-name").asText();
            if (name.startsWith(NODE)) {
                qemu.qmp().execute("blockdev-del", JSON.objectNode().put("node-name", name));
            }
        }
    }

    private static void end(QemuControl qemu, String id, String status) throws QmpException {
        try {
            if (status.equals(CONCLUDED)) {
                qemu.qmp().execute("job-dismiss", JSON.objectNode().put("id", id));
            } else {
                qemu.qmp().execute("block-job-cancel",
                        JSON.objectNode().put("device", id).put("force", true));
            }
        } catch (QmpException e) {
            // It went on to another state meanwhile: the next look finds it there.
            if (e.kind() != QmpException.Kind.REFUSED) {
                throw e;
            }
        }
    }

    private static GuestException tooFast(String what) {
        return new GuestException(ErrorCode.NOT_CONVERGING, what + ": the guest writes to them"
                + " faster than they are sent", "have it write less, or give it more --bandwidth,"
                + " of which disks get a quarter beside memory");
    }

    private static GuestException failure(IOException failed) {
        if (failed instanceof GuestException known) {
            return known;
        }
        GuestException told = new GuestException(ErrorCode.GUEST_FAILED,
                "the disks could not be copied: " + failed.getMessage(),
                "look at the target's images and QEMU's logs");
        told.initCause(failed);
        return told;
    }
}
