package io.pageferry.agent.guest.qemu.check;

import com.fasterxml.jackson.databind.JsonNode;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpClient;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.RunState;
import io.pageferry.agent.guest.qemu.qmp.SavedDevices;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds what stands in the way of moving a QEMU guest, before anything is changed. Nothing here
 * throws for what an operator can mend: an empty list means that it may go on.
 */
public final class QemuInspector {
    private static final String SHARE = "start it with -object memory-backend-file,id=ram,"
            + "size=SIZE,share=on,mem-path=/dev/shm/FILE -machine …,memory-backend=ram";
    /** Since then x-ignore-shared leaves only files with a path out (RAM_NAMED_FILE). */
    private static final String NAMED_FILES_ONLY = "8.1";
    /** Block drivers that hand the guest's RAM to a device or a ring for good. */
    private static final Set<String> REGISTERING = Set.of("nvme", "nvme-io_uring", "io_uring",
            "virtio-blk-vfio-pci", "virtio-blk-vhost-user", "virtio-blk-vhost-vdpa");
    private static final String DEFER = "start it with the source's arguments and -S -incoming"
            + " defer: pageferry describe prints them at the source";

    /** Why a guest that is postmigrate cannot be moved: QEMU refuses its migrate. */
    public static final String SAVED_ALREADY =
            "QEMU saves the state of a guest no second time before it ran again";
    /** No other way leads out of postmigrate with the guest as it is, tried on QEMU 7.2. */
    public static final String SAVE_AGAIN = "where it runs nowhere else, cont it at its monitor,"
            + " and stop it again if it is to stand still";

    private QemuInspector() {
    }

    /**
     * What keeps a guest from being moved away.
     *
     * @param drains whether what its disks write can be waited for: {@link DiskDrain}
     * @param alone  whether its devices can be saved without its RAM:
     *               {@link SavedDevices#arePossible}
     */
    public static List<Objection> source(QemuControl qemu, QemuFacts facts, boolean drains,
            boolean alone) throws QmpException {
        return flat(sourceRows(qemu, facts, drains, alone));
    }

    /**
     * What keeps a guest from being moved away, by what it concerns, in a fixed order.
     *
     * @param drains as of {@link #source}
     * @param alone  as of {@link #source}
     */
    public static Map<String, List<Objection>> sourceRows(QemuControl qemu, QemuFacts facts,
            boolean drains, boolean alone) throws QmpException {
        Map<String, List<Objection>> rows = new LinkedHashMap<>();
        RunState state = qemu.status().state();
        rows.put("state", state(qemu, state));
        rows.put("migration", migration(qemu, state));
        rows.put("memory", memory(qemu, facts, alone));
        rows.put("devices", devices(qemu, facts));
        rows.put("disks", disks(qemu, facts, drains));
        return rows;
    }

    /** What keeps a guest from arriving here. */
    public static List<Objection> target(QemuControl qemu, QemuFacts facts)
            throws QmpException {
        return flat(targetRows(qemu, facts));
    }

    /** What keeps a guest from arriving here, by what it concerns, in a fixed order. */
    public static Map<String, List<Objection>> targetRows(QemuControl qemu, QemuFacts facts)
            throws QmpException {
        Map<String, List<Objection>> rows = new LinkedHashMap<>();
        rows.put("state", waiting(qemu));
        List<Objection> able = new ArrayList<>(capabilities(qemu));
        if (!qemu.capabilities().containsKey(QemuControl.LATE_BLOCK_ACTIVATE)) {
            able.add(Objection.of("this QEMU lacks " + QemuControl.LATE_BLOCK_ACTIVATE,
                    "it would take the disks from a source that can still roll back",
                    "use QEMU 3.0 or newer"));
        }
        rows.put("migration", able);
        // It takes any state in, and its memory is reached wherever it is.
        rows.put("memory", memory(qemu, facts, true));
        return rows;
    }

    /** What says that it no longer waits for a state, in two questions. */
    public static List<Objection> waiting(QemuControl qemu) throws QmpException {
        RunState state = qemu.status().state();
        if (state != RunState.INMIGRATE) {
            return List.of(Objection.of("this QEMU is " + state,
                    "only one that waits for its state can take a guest in", DEFER));
        }
        return !listens(qemu) ? List.of()
                : List.of(Objection.of("this QEMU already listens for a migration",
                "its -incoming is not defer, or another program prepared it", DEFER));
    }

    private static List<Objection> flat(Map<String, List<Objection>> rows) {
        return rows.values().stream().flatMap(List::stream).toList();
    }

    private static boolean listens(QemuControl qemu) throws QmpException {
        return !qemu.qmp().execute("query-migrate").path("socket-address").isMissingNode();
    }

    private static List<Objection> state(QemuControl qemu, RunState state) throws QmpException {
        return switch (state) {
            case RUNNING -> List.of();
            // A paused guest moves too, and stays paused at the target.
            case PAUSED -> !SavedDevices.isMarked(qemu) ? List.of()
                    : List.of(Objection.of("the guest is paused, and its state was saved by a move",
                    "it may run elsewhere", "where it runs nowhere else, take the mark away at its"
                    + " monitor: object_del " + SavedDevices.MARK));
            case POSTMIGRATE -> List.of(Objection.of("the guest is " + state,
                    SAVED_ALREADY, SAVE_AGAIN));
            case PRELAUNCH -> List.of(Objection.of("the guest was started with -S",
                    "it has not run one instruction", "cont it first, or start it at the target"));
            case INMIGRATE -> List.of(Objection.of("the guest waits for an incoming migration",
                    "it is a target, there is nothing to move", "name the source's monitor"));
            case SUSPENDED -> List.of(Objection.of("the guest is suspended",
                    "QEMU wakes it at the target only by an event that may never come",
                    "wake it with system_wakeup"));
            default -> List.of(Objection.of("the guest is " + state,
                    "there is nothing that could go on at the target",
                    "bring it back to running, or end it"));
        };
    }

    private static List<Objection> capabilities(QemuControl qemu) throws QmpException {
        return qemu.capabilities().containsKey(QemuControl.IGNORE_SHARED) ? List.of()
                : List.of(Objection.of("this QEMU lacks " + QemuControl.IGNORE_SHARED,
                "its device state would hold all of the RAM", "use QEMU 4.0 or newer"));
    }

    private static List<Objection> migration(QemuControl qemu, RunState state)
            throws QmpException {
        List<Objection> found = new ArrayList<>(capabilities(qemu));
        QemuControl.Migration migration = qemu.migration();
        if (migration.active()) {
            found.add(Objection.of("a migration of this guest is " + migration.status(),
                    "two at once would both move it",
                    "wait for it, or end it with migrate_cancel"));
        }
        migration.blockedBy().lines().forEach(reason -> found.add(Objection.of(
                "QEMU says: " + reason, "its device state cannot be saved",
                "remove what it names")));
        if (found.isEmpty() && (state == RunState.RUNNING || state == RunState.PAUSED)) {
            String obstacle = SavedDevices.obstacle(qemu, QmpClient.COMMAND_LIMIT);
            if (!obstacle.isEmpty()) {
                found.add(Objection.of("QEMU says: " + obstacle,
                        "its device state cannot be saved", "remove what it names"));
            }
        }
        return found;
    }

    private static List<Objection> memory(QemuControl qemu, QemuFacts facts, boolean any)
            throws QmpException {
        List<Objection> found = new ArrayList<>();
        if (facts.memory().isEmpty()) {
            found.add(Objection.of("the guest has no memory backend", "its RAM cannot be seen",
                    SHARE));
        }
        boolean namedOnly = !QemuFacts.olderThan(facts.version(), NAMED_FILES_ONLY);
        if (!any) {
            facts.memory().forEach(one -> backend(one, namedOnly, found));
        }
        if (qemu.property("/machine", "aux-ram-share").asBoolean()) {
            found.add(Objection.of("the machine has aux-ram-share=on",
                    "video memory and ROMs would stay behind as if they were RAM",
                    "leave aux-ram-share=on out of -machine"));
        }
        JsonNode sizes = qemu.qmp().execute("query-memory-size-summary");
        long guest = sizes.path("base-memory").asLong() + sizes.path("plugged-memory").asLong();
        boolean resizable = facts.devices().values().stream()
                .anyMatch(type -> type.startsWith("virtio-mem"));
        if (guest != facts.memoryBytes() && !facts.memory().isEmpty()) {
            found.add(Objection.of("the memory backends hold " + facts.memoryBytes()
                    + " bytes, and the guest's RAM is " + guest,
                    "a backend that is not RAM would be moved as if it were", resizable
                    ? "have each virtio-mem's requested-size be the size of its memdev"
                    : "leave the -object out that no -machine, -numa or pc-dimm uses"));
        }
        return found;
    }

    /** Where the device state is QEMU's whole migration, what is not shared would be in it. */
    private static void backend(QemuFacts.Backend one, boolean namedOnly,
            List<Objection> found) {
        String name = one.type() + " " + one.id();
        if (one.type().equals("memory-backend-ram")) {
            found.add(Objection.of("the guest's RAM is " + name,
                    "that is private memory of QEMU, as a plain -m gives it", SHARE));
        } else if (!one.share()) {
            found.add(Objection.of(name + " has share=off",
                    "only QEMU sees what the guest writes", "start it with -object " + one.type()
                    + ",id=" + one.id() + ",share=on,… (where -mem-path made it: in its place, and"
                    + " -machine …,memory-backend=" + one.id() + ")"));
        } else if (namedOnly && one.type().equals("memory-backend-memfd")) {
            found.add(Objection.of("the guest's RAM is " + name,
                    "QEMU " + NAMED_FILES_ONLY + " and newer put it into the device state",
                    "start it with -object memory-backend-file,id=" + one.id()
                    + ",size=SIZE,share=on,mem-path=/dev/shm/FILE"));
        }
    }

    private static List<Objection> devices(QemuControl qemu, QemuFacts facts)
            throws QmpException {
        List<Objection> found = new ArrayList<>(VhostUserDevices.of(qemu, facts).objections());
        facts.devices().forEach((id, type) -> {
            if (type.startsWith("vfio-")) {
                found.add(Objection.of("device " + id + " is " + type,
                        "it writes to the guest's RAM past every tracker",
                        "unplug it with device_del before the move"));
            } else if (type.startsWith("vhost-") && !type.startsWith("vhost-vsock")
                    && !type.startsWith("vhost-user")) {
                found.add(Objection.tracking("device " + id + " is " + type,
                        "the kernel writes to the guest's RAM past every tracker",
                        "use the virtio device without vhost, or --tracker scan"));
            } else if (type.startsWith("ivshmem")) {
                found.add(Objection.of("device " + id + " is " + type,
                        "its memory is shared with others and stays behind",
                        "unplug it before the move"));
            }
        });
        return found;
    }

    private static List<Objection> disks(QemuControl qemu, QemuFacts facts, boolean drains)
            throws QmpException {
        List<Objection> found = new ArrayList<>();
        for (JsonNode job : qemu.qmp().execute("query-block-jobs")) {
            found.add(Objection.of("block job " + job.path("device").asText() + " ("
                    + job.path("type").asText() + ") is active",
                    "the target cannot take it over",
                    "wait for it, or end it with block-job-cancel"));
        }
        for (QemuFacts.Drive drive : facts.drives()) {
            if (drive.direct() && !drains) {
                found.add(Objection.tracking("drive " + drive.name() + " is opened with O_DIRECT",
                        "what it reads reaches the guest's RAM untracked",
                        "use cache=writeback,aio=threads, or --tracker scan"));
            }
        }
        for (JsonNode node : qemu.qmp().execute("query-named-block-nodes")) {
            String driver = node.path("drv").asText();
            if (REGISTERING.contains(driver)) {
                found.add(Objection.tracking("block node " + node.path("node-name").asText()
                        + " has the driver " + driver,
                        "its device or its ring writes to the guest's RAM untracked",
                        "use the driver host_device or file with cache.direct=off, or"
                        + " --tracker scan"));
            }
        }
        return found;
    }
}
