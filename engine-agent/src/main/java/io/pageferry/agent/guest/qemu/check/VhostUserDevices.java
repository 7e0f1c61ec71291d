package io.pageferry.agent.guest.qemu.check;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpClient;
import io.pageferry.agent.guest.qemu.qmp.QmpClient.Command;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The devices of a guest whose work another process does, over a socket of QEMU's (its
 * docs/interop/vhost-user.rst). Such a process maps the guest's RAM and writes it by itself.
 */
public final class VhostUserDevices {
    /** A line of {@code info network}: no command of QMP shows a netdev's type on 7.2. */
    private static final Pattern NETDEV = Pattern.compile(
            "(\\S+): index=\\d+,type=(vhost-[a-z]+)(?:,vhost-user\\d+ to ([^\\s,]+))?");
    /** A chardev's file name in query-chardev. */
    private static final Pattern LISTENS =
            Pattern.compile("(?:disconnected:)?unix:(.+),server=on");
    private static final String KIND = "vhost-user";
    private static final String SCAN = "use the virtio device without vhost, or --tracker scan";

    /** Places in QOM by the device's id. */
    private final SortedMap<String, String> places = new TreeMap<>();
    /** Paths at which QEMU waits for the processes that do their work. */
    private final Set<String> paths = new HashSet<>();
    private final List<Objection> found = new ArrayList<>();

    private VhostUserDevices() {
    }

    /**
     * Finds them.
     *
     * @param qemu  its monitor; nothing is changed by it, also where the guest runs
     * @param facts of the same QEMU
     * @return none where it has none
     * @throws QmpException when the monitor is gone
     */
    public static VhostUserDevices of(QemuControl qemu, QemuFacts facts) throws QmpException {
        VhostUserDevices all = new VhostUserDevices();
        Map<String, String> netdevs = new HashMap<>();
        Matcher line = NETDEV.matcher(qemu.human("info network"));
        while (line.find()) {
            if (line.group(2).equals(KIND)) {
                netdevs.put(line.group(1), line.group(3) == null ? "" : line.group(3));
            } else {
                all.found.add(Objection.tracking("netdev " + line.group(1) + " is "
                        + line.group(2), "another process or a device writes to the guest's RAM",
                        "use another -netdev, or --tracker scan"));
            }
        }
        Set<String> chardevs = new HashSet<>();
        for (Map.Entry<String, String> one : facts.devices().entrySet()) {
            String place = place(one.getKey());
            String netdev = one.getValue().startsWith("virtio-net")
                    ? qemu.property(place, "netdev").asText("") : "";
            if (one.getValue().startsWith(KIND)) {
                chardevs.add(qemu.property(place, "chardev").asText(""));
                all.add(qemu, one.getKey(), place);
            } else if (netdevs.containsKey(netdev)) {
                chardevs.add(netdevs.get(netdev));
                all.add(qemu, one.getKey(), place);
            }
        }
        all.objects(qemu);
        if (!all.places.isEmpty()) {
            all.listens(qemu, chardevs);
        }
        return all;
    }

    private static String place(String id) {
        return id.startsWith("#") ? "/machine/peripheral-anon/" + id.substring(1)
                : "/machine/peripheral/" + id;
    }

    private void add(QemuControl qemu, String id, String place) throws QmpException {
        places.put(id, place);
        if (qemu.property(place, "packed").asBoolean()) {
            found.add(Objection.tracking("device " + id + " has packed=on",
                    "its rings do not show whether its vhost-user backend has stopped",
                    "leave packed=on out, or use --tracker scan"));
        }
    }

    /** Such as cryptodev-vhost-user: what they have under way is shown nowhere. */
    private void objects(QemuControl qemu) throws QmpException {
        for (JsonNode one : qemu.qmp().execute("qom-list",
                JsonNodeFactory.instance.objectNode().put("path", "/objects"))) {
            if (one.path("type").asText().contains(KIND)) {
                found.add(Objection.tracking("object " + one.path("name").asText() + " is "
                        + one.path("type").asText().replaceAll("^child<|>$", ""),
                        "whether its process has stopped with the guest cannot be seen", SCAN));
            }
        }
    }

    private void listens(QemuControl qemu, Set<String> chardevs) throws QmpException {
        for (JsonNode one : qemu.qmp().execute("query-chardev")) {
            Matcher server = LISTENS.matcher(one.path("filename").asText());
            if (chardevs.contains(one.path("label").asText()) && server.matches()) {
                paths.add(server.group(1));
            }
        }
        try {
            qemu.qmp().execute("x-query-virtio");
        } catch (QmpException e) {
            if (e.kind() != QmpException.Kind.REFUSED) {
                throw e;
            }
            found.add(Objection.tracking("this QEMU does not show the rings of "
                    + String.join(", ", places.keySet()),
                    "whether their vhost-user backends stop with the guest cannot be seen",
                    "use QEMU 7.2 or newer, or --tracker scan"));
        }
    }

    /** {@return whether there are none} */
    public boolean isEmpty() {
        return places.isEmpty();
    }

    /** {@return why the guest's writes cannot all be tracked because of such devices} */
    public List<Objection> objections() {
        return List.copyOf(found);
    }

    /**
     * Returns whether one of them may work over a connection of QEMU's. Of those that QEMU opened
     * itself it does not show which is whose; of those that others opened to it, it does.
     *
     * @param name path of QEMU's end, empty where QEMU opened it
     * @return false where it is for something else, a monitor for example
     */
    public boolean mayWorkOver(String name) {
        return !isEmpty() && (name.isEmpty() || paths.contains(name));
    }

    /**
     * Checks, of a guest that stands still, that none of them has a request under way. QEMU told
     * each process to stop its rings, and was told up to where it took requests; a process that
     * answered before it had done them all (qemu-storage-daemon 7.2 does) would write on, and the
     * guest would wait for ever for what the target does not know of.
     *
     * <p>Never of a guest that runs: QEMU 7.2 stops a ring to answer this.
     *
     * @param qemu its monitor
     * @throws GuestException when one has, or that cannot be seen
     * @throws QmpException   when the monitor is gone
     */
    public void requireIdle(QemuControl qemu) throws GuestException, QmpException {
        if (isEmpty()) {
            return;
        }
        Map<String, String> rings = new HashMap<>();
        for (JsonNode one : qemu.qmp().execute("x-query-virtio")) {
            String path = one.path("path").asText();
            rings.put(path.replaceFirst("/virtio-backend$", ""), path);
        }
        for (Map.Entry<String, String> one : places.entrySet()) {
            String path = rings.get(one.getValue());
            if (path == null) {
                throw failed("device " + one.getKey() + " does not show its rings");
            }
            requireIdle(qemu, one.getKey(), path);
        }
    }

    private static void requireIdle(QemuControl qemu, String id, String path)
            throws GuestException, QmpException {
        ObjectNode where = JsonNodeFactory.instance.objectNode().put("path", path);
        JsonNode device = qemu.qmp().execute("x-query-virtio-status", where);
        if (device.path("vhost-started").asBoolean()) {
            throw failed("device " + id + " works on although the guest stands still");
        }
        List<Command> questions = new ArrayList<>();
        for (int queue = 0; queue < device.path("num-vqs").asInt(); queue++) {
            questions.add(new Command("x-query-virtio-queue-status",
                    where.deepCopy().put("queue", queue)));
        }
        if (questions.isEmpty()) {
            return;
        }
        for (JsonNode ring : qemu.qmp().execute(questions, QmpClient.COMMAND_LIMIT)) {
            int underWay = ring.path("last-avail-idx").asInt() - ring.path("used-idx").asInt()
                    & 0xffff;
            if (ring.path("vring-desc").asLong() != 0 && underWay != 0) {
                throw failed("device " + id + " has " + underWay + " requests under way although"
                        + " the guest stands still, because its vhost-user backend did not finish"
                        + " them when it was told to stop");
            }
        }
    }

    private static GuestException failed(String what) {
        return new GuestException(ErrorCode.GUEST_FAILED, what, "look whether the device still"
                + " works in the guest; move it while the device has little to do, or use a"
                + " backend that finishes its requests at GET_VRING_BASE");
    }
}
