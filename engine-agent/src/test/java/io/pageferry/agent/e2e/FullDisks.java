package io.pageferry.agent.e2e;

import static io.pageferry.agent.e2e.FaultRig.ends;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.e2e.FaultRig.Fault;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;

/** The state directory of a QEMU's move is full from a chosen record on, at either side. */
final class FullDisks {
    private static final String FULL = "No space left";

    private FullDisks() {
    }

    static Map<String, Fault> all() {
        Map<String, Fault> all = new LinkedHashMap<>();
        all.put("source disk full at the journal", FullDisks::noJournalHere);
        all.put("source disk full at SWITCHOVER", rig -> source(rig, List.of(), 4));
        all.put("source disk full at GRANTED", rig ->
                source(rig, List.of(JournalState.SWITCHOVER), 4));
        all.put("source disk full at DONE", rig ->
                source(rig, List.of(JournalState.SWITCHOVER, JournalState.GRANTED), 0));
        all.put("target disk full at the journal", FullDisks::noJournalThere);
        all.put("target disk full at PREPARED", rig -> target(rig, List.of(), 4));
        all.put("target disk full at ACTIVE", rig ->
                target(rig, List.of(JournalState.PREPARED), 4));
        all.put("target disk full at RUNNING", rig ->
                target(rig, List.of(JournalState.PREPARED, JournalState.ACTIVE), 0));
        return all;
    }

    /** The target did not count it: the next one may come. */
    private static void noJournalHere(FaultRig rig) throws IOException {
        Agent target = rig.target("");
        try (FullDisk disk = FullDisk.mount(rig.base().folder().resolve("disk"))) {
            disk.fill();
            Agent source = rig.source(target, "", "--state-dir", disk.folder().toString());
            ends(3, "refused", source, FULL);
        }
        target.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", target);
        rig.assertAtSource();
        rig.assertWaiting();
    }

    private static void noJournalThere(FaultRig rig) throws IOException {
        try (FullDisk disk = FullDisk.mount(rig.base().folder().resolve("disk"))) {
            disk.fill();
            Agent target = rig.target("", "--state-dir", disk.folder().toString());
            // It makes its journal for the first page: the migration is under way then.
            ends(4, "failed", rig.source(target, ""), FULL);
            E2e.assertEnds(4, "failed", target);
        }
        rig.assertAtSource();
        rig.assertWaiting();
    }

    private static void source(FaultRig rig, List<JournalState> fit, int exit) throws IOException {
        Agent target = rig.target("");
        DemoQemu guest = rig.home().qemu();
        Map<String, String> recoveryAddress = recoveryAddress(rig, guest);
        try (QemuControl control = guest.control()) {
            QemuControl.Settings settings = control.settings();
            recoveryAddress.put("capabilities", settings.capabilities().entrySet().stream()
                    .filter(Map.Entry::getValue).map(Map.Entry::getKey).sorted()
                    .collect(Collectors.joining(",")));
            recoveryAddress.put("max-bandwidth", Long.toString(settings.maxBandwidth()));
            recoveryAddress.put("downtime-limit", Long.toString(settings.downtimeLimit()));
        }
        recoveryAddress.put("after", "quit");
        Poll.until(() -> Rig.isFree(guest), () -> "somebody still talks to the monitor");
        try (FullDisk disk = FullDisk.mount(rig.base().folder().resolve("disk"))) {
            String uri = padded(guest, fit, header(Side.SOURCE, guest, target.address(),
                    recoveryAddress));
            Agent source = rig.start("", List.of("migrate", uri, "--to", target.address(),
                    "--cold", "--state-dir", disk.folder().toString()));
            judge(rig, exit, source, target, fit.size() == 2 ? "DONE" : "");
            assertEquals(!fit.isEmpty(), source.states().contains("switchover"),
                    source::toString);
        }
    }

    private static void target(FaultRig rig, List<JournalState> fit, int exit) throws IOException {
        DemoQemu guest = rig.waiting();
        try (FullDisk disk = FullDisk.mount(rig.base().folder().resolve("disk"))) {
            Map<String, String> recoveryAddress = recoveryAddress(rig, guest);
            try (QemuControl control = guest.control()) {
                Map<String, Boolean> known = control.capabilities();
                recoveryAddress.put("target-capabilities", String.join(",", known.keySet()));
                recoveryAddress.put("target-capabilities-on", known.entrySet().stream()
                        .filter(Map.Entry::getValue).map(Map.Entry::getKey)
                        .collect(Collectors.joining(",")));
                recoveryAddress.put("target-announce-rounds",
                        Long.toString(control.announceRounds()));
            }
            Poll.until(() -> Rig.isFree(guest), () -> "somebody still talks to the monitor");
            String uri = padded(guest, fit, header(Side.TARGET, guest, "", recoveryAddress));
            Agent target = rig.start("", List.of("receive", uri, "--listen", "127.0.0.1:0",
                    "--once", "--state-dir", disk.folder().toString()));
            Agent source = rig.source(target, "");
            judge(rig, exit, target, source, fit.size() == 2 ? "RUNNING" : "");
            assertEquals(!fit.isEmpty(), target.states().contains("ready"), target::toString);
            if (fit.isEmpty()) {
                rig.assertWaiting();
            } else if (exit != 0) {
                rig.assertTargetEnded();
            }
        }
    }

    /** Before the grant it is a failure; a word that only repeats what is so is done without. */
    private static void judge(FaultRig rig, int exit, Agent full, Agent other, String unwritten)
            throws IOException {
        if (exit != 0) {
            ends(exit, "failed", full, FULL);
            if (other.states().stream().anyMatch(List.of("precopy", "receiving")::contains)) {
                E2e.assertEnds(exit, "failed", other);
            } else {
                // A target to which no page came: for it there was no migration, it waits for one.
                other.await("the source's no", event ->
                        event.path("message").asText().contains(FULL));
                other.signal(Signal.TERM);
                E2e.assertEnds(7, "cancelled", other);
            }
            rig.assertAtSource();
            return;
        }
        E2e.assertMoved(full, other);
        assertTrue(full.words().lines().anyMatch(line -> line.contains("cannot write " + unwritten)
                && line.contains(FULL)), full::toString);
        rig.assertAtTarget();
    }

    private static Map<String, String> recoveryAddress(FaultRig rig, DemoQemu guest)
            throws IOException {
        Map<String, String> recoveryAddress = new HashMap<>();
        recoveryAddress.put("qmp", guest.qmp().toRealPath().toString());
        recoveryAddress.put("pid", Long.toString(guest.process().pid()));
        recoveryAddress.put("start", Long.toString(guest.process().startTicks()));
        recoveryAddress.put("boot", Processes.bootId());
        recoveryAddress.put(JournalHeader.IDENTITY, "process:" + guest.process().pid() + ":"
                + guest.process().startTicks());
        // Its name is drawn; of this length.
        recoveryAddress.put("sockets",
                rig.base().temporary().resolve("pageferry-0123456789abcdef").toString());
        return recoveryAddress;
    }

    private static int header(Side side, DemoQemu guest, String peer, Map<String,
            String> recoveryAddress)
            throws IOException {
        return FullDisk.line(new JournalHeader(JournalHeader.SCHEMA, new UUID(0, 0), side,
                Rig.uri(guest), peer, System.currentTimeMillis(), recoveryAddress));
    }

    /** The monitor's path with so many slashes that these records fit and not one byte more. */
    private static String padded(DemoQemu guest, List<JournalState> fit, int header)
            throws IOException {
        int length = header;
        for (JournalState state : fit) {
            length += FullDisk.line(new JournalRecord(state, 1, true,
                    state == JournalState.SWITCHOVER ? "cold" : ""));
        }
        return "qemu:" + "/".repeat(FullDisk.PAGE - 1 - length) + guest.qmp();
    }
}
