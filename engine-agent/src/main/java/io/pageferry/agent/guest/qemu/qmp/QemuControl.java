package io.pageferry.agent.guest.qemu.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.qemu.qmp.QmpException.Kind;
import io.pageferry.agent.guest.qemu.socket.QemuSocket;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import java.io.IOException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What Pageferry asks of a QEMU, typed. Each method is one or a few commands; none waits for
 * longer than the client's limit unless noted there. Any thread. Tried with QEMU 7.2.
 *
 * <p>Traps that the order of the calls avoids:
 * <ul>
 * <li>{@code migrate} of a running guest with x-ignore-shared stops it by itself, and the stream
 *     then has "running": always {@link #stop()} first.
 * <li>x-ignore-shared must be set on both sides before the first byte of state; a target without
 *     it ends itself, and so does one whose memory contradicts the state.
 * <li>Without late-block-activate at the target, loading takes the image locks, and a roll-back
 *     of the source fails until the target is dead.
 * <li>{@code cont} on a QEMU that waits for its state is accepted without a word, and makes it
 *     start on its own after the load. {@code stop} there takes that back.
 * <li>A loaded target is single-use: a second load is refused.
 * </ul>
 */
public final class QemuControl implements AutoCloseable {
    /** Shared RAM is not part of the stream: Pageferry moves it. */
    public static final String IGNORE_SHARED = "x-ignore-shared";
    /** Image locks are taken at {@code cont}, not at the load. */
    public static final String LATE_BLOCK_ACTIVATE = "late-block-activate";
    /** A target's, for the stream of {@link DeviceState#save}. */
    public static final Set<String> OF_STREAM = Set.of(IGNORE_SHARED, LATE_BLOCK_ACTIVATE);
    /**
     * QEMU's words where another process holds an image (block/file-posix.c): one that lets no
     * other write, or, "shared", one that writes where we would not let it.
     */
    private static final Pattern LOCK_REFUSED = Pattern.compile(
            "Failed to get (shared )?\"[^\"]+\" lock");
    /** Starting vCPUs may have to open images: longer than a mere question. */
    static final Duration CONT_LIMIT = Duration.ofSeconds(30);
    /** Bytes per second; the state must not wait for QEMU's default limit of 128 MiB/s. */
    private static final long UNLIMITED = 1L << 40;
    /** Milliseconds, QEMU's maximum: what is left is sent at once, the guest is paused anyway. */
    private static final long LONGEST_DOWNTIME = 2_000_000;
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** What query-status returns. */
    public record Status(RunState state, boolean running) {
    }

    /**
     * What became of {@code cont}.
     *
     * @param running the guest runs
     * @param lockRefused another process holds one of its images; it stays paused
     * @param desc QEMU's words where it refused, else empty
     */
    public record ContResult(boolean running, boolean lockRefused, String desc) {
    }

    /**
     * What query-migrate returns.
     *
     * @param status none, setup, active, device, completed, failed, cancelled …; {@code none}
     *     where there never was one, and on a target that listens
     * @param desc QEMU's reason for a failure, else empty
     * @param blockedBy why this guest cannot be migrated now, one reason per line, else empty
     */
    public record Migration(String status, String desc, String blockedBy) {
        /** True while QEMU works on one. */
        public boolean active() {
            return switch (status) {
                case "none", "completed", "failed", "cancelled" -> false;
                default -> true;
            };
        }
    }

    /**
     * The migration settings that Pageferry changes, to be put back where a guest stays.
     *
     * @param capabilities all that this QEMU has
     * @param maxBandwidth bytes per second
     * @param downtimeLimit milliseconds
     */
    public record Settings(Map<String, Boolean> capabilities, long maxBandwidth,
            long downtimeLimit) {
        /** Copies the map. */
        public Settings {
            capabilities = Map.copyOf(capabilities);
        }
    }

    private final QmpClient qmp;
    private final long pid;

    /** Takes the client over: closes it with itself. The QEMU is taken for this user's. */
    public QemuControl(QmpClient qmp) {
        this(qmp, ProcessHandle.current().pid());
    }

    /** The same, of any user's. */
    public QemuControl(QmpClient qmp, long pid) {
        this.qmp = qmp;
        this.pid = pid;
    }

    /**
     * Connects to the monitor at a path of a QEMU of this user; see
     * {@link QmpClient#connect(Path)}.
     */
    public static QemuControl connect(Path socket) throws IOException {
        return new QemuControl(QmpClient.connect(socket));
    }

    /** Listens where only this QEMU's user can connect; see {@link QemuSocket#open}. */
    public ServerSocketChannel listen(Path socket) throws IOException {
        return QemuSocket.open(socket, pid);
    }

    /** The connection, for its events and for commands that have no method here. */
    public QmpClient qmp() {
        return qmp;
    }

    /** query-status. */
    public Status status() throws QmpException {
        return status(qmp.execute("query-status"));
    }

    private static Status status(JsonNode reply) {
        return new Status(RunState.of(reply.path("status").asText()),
                reply.path("running").asBoolean());
    }

    /**
     * Pauses the guest and returns when no vCPU runs and the disks are drained. On a target that
     * waits for its state: makes sure that it stays paused after the load.
     */
    public void stop() throws QmpException {
        qmp.execute("stop", null, CONT_LIMIT);
    }

    /**
     * Lets the guest run. To be called only on a guest that is paused, postmigrate or loaded:
     * for one that still waits for its state QEMU accepts it and does something else.
     */
    public ContResult cont() throws QmpException {
        try {
            qmp.execute("cont", null, CONT_LIMIT);
            return new ContResult(true, false, "");
        } catch (QmpException e) {
            if (e.kind() != Kind.REFUSED) {
                throw e;
            }
            return new ContResult(false, LOCK_REFUSED.matcher(e.desc()).find(), e.desc());
        }
    }

    /** The threads of its vCPUs now, by the ids that QEMU's own PID namespace gives them. */
    public Set<Long> vcpuThreads() throws QmpException {
        Set<Long> threads = new TreeSet<>();
        for (JsonNode vcpu : qmp.execute("query-cpus-fast")) {
            threads.add(vcpu.path("thread-id").asLong());
        }
        return threads;
    }

    /** Ends QEMU and the guest. Returns when QEMU agreed or hung up: it may still exist. */
    public void quit() throws QmpException {
        try {
            qmp.execute("quit");
        } catch (QmpException e) {
            // QEMU often hangs up before its answer is out.
            if (e.kind() != Kind.CLOSED) {
                throw e;
            }
        }
    }

    /** All migration capabilities of this QEMU and whether each is on, by name. */
    public Map<String, Boolean> capabilities() throws QmpException {
        return capabilities(qmp.execute("query-migrate-capabilities"));
    }

    private static Map<String, Boolean> capabilities(JsonNode said) {
        Map<String, Boolean> all = new TreeMap<>();
        for (JsonNode one : said) {
            all.put(one.path("capability").asText(), one.path("state").asBoolean());
        }
        return all;
    }

    /** Sets the capabilities named; refused by QEMU while a migration is active. */
    public void setCapabilities(Map<String, Boolean> wanted) throws QmpException {
        if (!wanted.isEmpty()) {
            QmpClient.Command command = capabilities(wanted);
            qmp.execute(command.name(), command.arguments());
        }
    }

    private static QmpClient.Command capabilities(Map<String, Boolean> wanted) {
        ArrayNode list = JSON.arrayNode();
        wanted.forEach((name, on) ->
                list.addObject().put("capability", name).put("state", on));
        return new QmpClient.Command("migrate-set-capabilities",
                JSON.objectNode().set("capabilities", list));
    }

    /** The present migration settings. */
    public Settings settings() throws QmpException {
        List<JsonNode> said = qmp.execute(List.of(
                new QmpClient.Command("query-migrate-capabilities", null),
                new QmpClient.Command("query-migrate-parameters", null)),
                QmpClient.COMMAND_LIMIT);
        return new Settings(capabilities(said.get(0)), said.get(1).path("max-bandwidth").asLong(),
                said.get(1).path("downtime-limit").asLong());
    }

    /** Puts settings back that {@link #settings()} returned; limits of others stay. */
    public void restore(Settings settings) throws QmpException {
        Settings now = settings();
        Map<String, Boolean> changed = new TreeMap<>(settings.capabilities());
        changed.entrySet().removeAll(now.capabilities().entrySet());
        setCapabilities(changed);
        if (now.maxBandwidth() == UNLIMITED && now.downtimeLimit() == LONGEST_DOWNTIME) {
            QmpClient.Command back =
                    parameters(settings.maxBandwidth(), settings.downtimeLimit());
            qmp.execute(back.name(), back.arguments());
        }
    }

    private static QmpClient.Command parameters(long maxBandwidth, long downtimeLimit) {
        return new QmpClient.Command("migrate-set-parameters", JSON.objectNode()
                .put("max-bandwidth", maxBandwidth).put("downtime-limit", downtimeLimit));
    }

    /**
     * Makes the source ready for {@link DeviceState#save}, in one go: x-ignore-shared on, every
     * other capability off (multifd or compress would change the stream), no bandwidth limit. The
     * guest is not disturbed. While it runs, another client's snapshot or migration would lack the
     * RAM by this, so it is sent when the guest is paused.
     *
     * @param present what {@link #settings()} returns now
     */
    public void prepareSource(Settings present) throws QmpException {
        List<QmpClient.Command> commands = only(present.capabilities(), Set.of(IGNORE_SHARED));
        commands.add(parameters(UNLIMITED, LONGEST_DOWNTIME));
        qmp.execute(commands, QmpClient.COMMAND_LIMIT);
    }

    static QmpClient.Command announceRounds(long rounds) {
        return new QmpClient.Command("migrate-set-parameters",
                JSON.objectNode().put("announce-rounds", rounds));
    }

    /** How often QEMU itself would announce a guest that it took in. */
    public long announceRounds() throws QmpException {
        return qmp.execute("query-migrate-parameters").path("announce-rounds").asLong();
    }

    /**
     * Sends what has to follow once a guest runs at the target, and awaits nothing: switches learn
     * where it is now, by 5 RARP packets a network card within 0.8 s, as QEMU does by default
     * (qapi/net.json), and the migration settings become again what they were. With x-ignore-shared
     * left on, a later snapshot or migration by other means would lack the RAM.
     *
     * @param capabilities   before {@link DeviceState#arm}
     * @param announceRounds likewise
     */
    public void arrived(Map<String, Boolean> capabilities, long announceRounds)
            throws QmpException {
        qmp.tell(List.of(
                new QmpClient.Command("announce-self", JSON.objectNode().put("initial", 50)
                        .put("max", 550).put("rounds", 5).put("step", 100)),
                capabilities(capabilities), announceRounds(announceRounds)));
    }

    /**
     * Turns those on that are wanted, and all others off. Only what is not so now is named: a guest
     * waits, and QEMU 7.2 takes half a millisecond for each name (12 ms for all of them).
     */
    static List<QmpClient.Command> only(Map<String, Boolean> now, Set<String> wanted) {
        Map<String, Boolean> changes = new TreeMap<>();
        now.forEach((name, on) -> {
            if (on != wanted.contains(name)) {
                changes.put(name, !on);
            }
        });
        return new ArrayList<>(changes.isEmpty() ? List.of() : List.of(capabilities(changes)));
    }

    /** Starts to save the state into a UNIX socket that has a listener. */
    void migrate(Path socket) throws QmpException {
        qmp.execute("migrate", JSON.objectNode().put("uri", uri(socket)));
    }

    /** Ends an outgoing migration; a guest that was stopped stays so. */
    void cancelMigration() throws QmpException {
        qmp.execute("migrate_cancel");
    }

    static String uri(Path socket) throws QmpException {
        String path = SocketFolder.seenByQemu(socket);
        // sockaddr_un holds 108 bytes with the final zero (man 7 unix); QEMU would cut it.
        if (path.length() > 107) {
            throw QmpException.of(Kind.PROTOCOL, "too long for a UNIX socket: " + path
                    + ": choose a shorter --state-dir");
        }
        return "unix:" + path;
    }

    /** query-migrate. */
    public Migration migration() throws QmpException {
        return migration(qmp.execute("query-migrate"));
    }

    /** query-migrate and query-status at once. */
    Map.Entry<Migration, Status> progress() throws QmpException {
        List<JsonNode> replies = qmp.execute(List.of(
                new QmpClient.Command("query-migrate", null),
                new QmpClient.Command("query-status", null)), QmpClient.COMMAND_LIMIT);
        return Map.entry(migration(replies.getFirst()), status(replies.getLast()));
    }

    private static Migration migration(JsonNode reply) {
        StringBuilder blocked = new StringBuilder();
        for (JsonNode reason : reply.path("blocked-reasons")) {
            blocked.append(blocked.isEmpty() ? "" : "\n").append(reason.asText());
        }
        return new Migration(reply.path("status").asText("none"),
                reply.path("error-desc").asText(""), blocked.toString());
    }

    /** A QOM property, or a missing node where the object has no such property. */
    public JsonNode property(String path, String name) throws QmpException {
        ObjectNode where = JSON.objectNode().put("path", path).put("property", name);
        try {
            return qmp.execute("qom-get", where);
        } catch (QmpException e) {
            if (e.kind() != Kind.REFUSED) {
                throw e;
            }
            return JSON.missingNode();
        }
    }

    /** Returns the human monitor's output; empty where there is none, or not this command. */
    public String human(String line) throws QmpException {
        try {
            return qmp.execute("human-monitor-command",
                    JSON.objectNode().put("command-line", line)).asText("");
        } catch (QmpException e) {
            if (e.kind() != Kind.REFUSED) {
                throw e;
            }
            return "";
        }
    }

    /** Closes the connection. Does not end QEMU, and the guest stays as it is. */
    @Override
    public void close() {
        qmp.close();
    }
}
