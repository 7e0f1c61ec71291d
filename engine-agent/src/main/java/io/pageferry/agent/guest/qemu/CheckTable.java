package io.pageferry.agent.guest.qemu;

import io.pageferry.agent.guest.GuestKind.Finding;
import io.pageferry.agent.guest.GuestKind.Verdict;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.qemu.check.DrainPlan;
import io.pageferry.agent.guest.qemu.check.Objection;
import io.pageferry.agent.guest.qemu.check.OpenDescriptors;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuInspector;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.check.VhostUserDevices;
import io.pageferry.agent.guest.qemu.memory.QemuMemory;
import io.pageferry.agent.guest.qemu.memory.TargetRoom;
import io.pageferry.agent.guest.qemu.memory.TrackedBackends;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.RunState;
import io.pageferry.agent.guest.qemu.qmp.SavedDevices;
import io.pageferry.agent.guest.qemu.socket.SocketFolder;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The table of docs/OPERATIONS.md for one guest: the very checks that {@code migrate} and
 * {@code receive} make, and all of them. Nothing is changed by it.
 */
public final class CheckTable {
    private final List<Finding> rows = new ArrayList<>();
    private final QemuFacts facts;
    private final long pid;
    private List<String> backends = List.of();

    private CheckTable(QemuFacts facts, long pid) {
        this.facts = facts;
        this.pid = pid;
    }

    /**
     * Looks at a QEMU: as a target where it waits for a guest, else as a source.
     *
     * @param pid  its process
     * @param qemu its monitor
     * @return rows in a fixed order; what has several objections has several rows
     * @throws QmpException when the monitor is gone
     */
    public static List<Finding> of(long pid, QemuControl qemu) throws QmpException {
        CheckTable table = new CheckTable(QemuProbe.read(qemu), pid);
        table.fill(qemu);
        return List.copyOf(table.rows);
    }

    private void fill(QemuControl qemu) throws QmpException {
        RunState state = qemu.status().state();
        boolean target = state == RunState.INMIGRATE;
        OpenDescriptors open = OpenDescriptors.of(pid);
        boolean drains = target || drains(qemu, open);
        row("machine", "QEMU " + facts.version() + " (pid " + pid + "), " + facts.machine() + ", "
                + facts.accelerator(), List.of());
        row("vcpus", facts.vcpus() + " of " + facts.cpu(), List.of());
        boolean alone = !target && SavedDevices.arePossible(qemu, facts.machine());
        Map<String, List<Objection>> found = new LinkedHashMap<>(target
                ? QemuInspector.targetRows(qemu, facts)
                : QemuInspector.sourceRows(qemu, facts, drains, alone));
        Map<String, String> fine = Map.of(
                "state", target ? "waits for a guest: supported as target"
                        : state + ": supported as source" + (state == RunState.RUNNING ? ""
                        : ", and stands still at the target too"),
                "migration", "QEMU can save and load its device state",
                "memory", backends(),
                "devices", facts.devices().isEmpty() ? "none but the machine's own"
                        : String.join(", ", facts.devices().values()),
                "disks", disks());
        boolean reachable = found.get("memory").isEmpty();
        if (reachable) {
            found.put("memory", memory(qemu, target, alone));
        }
        found.forEach((what, objections) -> row(what, fine.get(what), objections));
        folder(qemu);
        if (!target) {
            row("process", backends.stream().map(one -> one + " is tracked too, ")
                    .collect(Collectors.joining()) + "nothing else writes to its memory, as far as"
                    + " its descriptors tell", open.objections(drains, facts.drives()));
        }
        host(target);
    }

    private static boolean drains(QemuControl qemu, OpenDescriptors open) throws QmpException {
        try (DrainPlan plan = DrainPlan.of(open, qemu, GuestSetup.PAUSE_LIMIT)) {
            return plan.drains();
        }
    }

    private List<Objection> memory(QemuControl qemu, boolean target, boolean alone)
            throws QmpException {
        try {
            QemuMemory memory = QemuMemory.find(pid, qemu, facts.memory());
            if (target) {
                return List.of();
            }
            // Refuses, as migrate does, what it could not save beside the RAM.
            DeviceSaver.of(pid, alone, qemu, facts, memory);
            TrackedBackends others = memory.backends(VhostUserDevices.of(qemu, facts));
            backends = others.names();
            return others.objections();
        } catch (GuestException e) {
            return List.of(Objection.of(e.getMessage(), "it cannot be read or written",
                    e.remedy()));
        }
    }

    /** QEMU makes a file there, which is deleted at once. */
    private void folder(QemuControl qemu) throws QmpException {
        SocketFolder folder = SocketFolder.draw(pid);
        List<Objection> found = new ArrayList<>();
        try {
            SavedDevices.requireWritable(qemu, folder, pid);
        } catch (GuestException e) {
            found.add(Objection.of(e.getMessage(), "its device state could not be handed over",
                    e.remedy()));
        }
        row("folder", "QEMU can write where its state is to pass: "
                + folder.path().getParent(), found);
    }

    /** A target needs nothing but to read and write the memory, which was seen above. */
    private void host(boolean target) {
        if (target) {
            row("room", new TargetRoom(pid, facts.memory()).describe() + "; what the source's"
                    + " guest has filled of " + (facts.memoryBytes() >> 20)
                    + " MiB, and a tenth of that, must fit", List.of());
            return;
        }
        List<KernelProbe.Step> steps = KernelProbe.run();
        List<Objection> found = new ArrayList<>();
        if (!KernelProbe.canTrackOthers(steps)) {
            found.add(Objection.tracking(KernelProbe.summary(steps),
                    "this host cannot track the writes of another process",
                    "run as root on Linux 6.7 or newer, or use --tracker scan"));
        } else {
            try {
                RemoteUserfault.requirePossible(pid);
            } catch (IOException e) {
                found.add(Objection.tracking(e.getMessage(),
                        "the writes of this QEMU cannot be tracked", "use --tracker scan"));
            }
        }
        row("host", KernelProbe.summary(steps), found);
    }

    private String backends() {
        return facts.memory().stream().map(one -> one.id() + " " + (one.size() >> 20) + " MiB ("
                + one.type().replaceFirst("^memory-backend-", "")
                + (one.pageSize() > 4096 ? ", pages of " + (one.pageSize() >> 10) + " KiB" : "")
                + ")").collect(Collectors.joining(", "));
    }

    private String disks() {
        String writable = facts.drives().stream()
                .filter(drive -> !drive.readOnly() && !drive.file().isEmpty())
                .map(QemuFacts.Drive::file).collect(Collectors.joining(", "));
        return writable.isEmpty() ? "none that is written: after --after keep nothing would refuse"
                + " a cont at the source" : writable + ": the target must see the same";
    }

    private void row(String what, String found, List<Objection> objections) {
        if (objections.isEmpty()) {
            rows.add(new Finding(what, Verdict.OK, found, "", ""));
        }
        objections.forEach(one -> rows.add(new Finding(what, one.trackingOnly()
                ? Verdict.SCAN_ONLY : Verdict.REFUSED, one.what(), one.why(), one.remedy())));
    }
}
