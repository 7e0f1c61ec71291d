package io.pageferry.agent.guest.qemu.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.qmp.FakeMonitor;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.SavedDevices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

class QemuInspectorTest {
    private static final Pattern COMMAND = Pattern.compile("\"execute\":\"([^\"]+)\"");
    private static final QemuFacts.Backend SHARED = new QemuFacts.Backend("ram",
            "memory-backend-memfd", 1 << 20, true, "", 4096);

    @TempDir
    Path folder;

    private final Map<String, String> answers = new HashMap<>(Map.of(
            "query-status", "{\"status\": \"running\", \"running\": true}",
            "query-migrate", "{}",
            "query-block-jobs", "[]",
            "query-named-block-nodes", "[]",
            "qom-get", "false",
            "human-monitor-command", "\"\"",
            "qom-list", "[]",
            "query-memory-size-summary", "{\"base-memory\": 1048576, \"plugged-memory\": 0}",
            "query-migrate-capabilities", "[{\"capability\": \"x-ignore-shared\", \"state\":"
                    + " false}, {\"capability\": \"late-block-activate\", \"state\": false}]"));

    {
        answers.put("qmp_capabilities", "{}");
        answers.put("query-chardev", "[]");
        answers.put("x-query-virtio", "[]");
    }

    private void serve(FakeMonitor.Client client) throws IOException {
        client.say(FakeMonitor.GREETING);
        for (String line = client.in().readLine(); line != null; line = client.in().readLine()) {
            Matcher command = COMMAND.matcher(line);
            Matcher id = FakeMonitor.ID.matcher(line);
            assertTrue(command.find() && id.find(), line);
            client.say("{\"return\": " + answers.get(command.group(1)) + ", \"id\": "
                    + id.group(1) + "}\n");
        }
    }

    private interface Question {
        List<Objection> ask(QemuControl qemu, QemuFacts facts) throws QmpException;
    }

    private List<Objection> ask(QemuFacts facts, Question question) throws IOException {
        try (FakeMonitor monitor = new FakeMonitor(folder.resolve("qmp"), this::serve);
                QemuControl qemu = QemuControl.connect(monitor.path())) {
            return question.ask(qemu, facts);
        }
    }

    private static QemuFacts facts(QemuFacts.Backend backend, Map<String, String> devices,
            QemuFacts.Drive... drives) {
        return new QemuFacts("vm", "7.2.0", "pc-q35-7.2", "kvm", "max-x86_64-cpu", "", 1,
                List.of(backend), new TreeMap<>(devices), new TreeMap<>(), new TreeMap<>(),
                List.of(drives));
    }

    private static QemuFacts.Drive drive(String name, boolean direct) {
        return new QemuFacts.Drive(name, name, "/disk", "raw", 1 << 20, false, direct, false);
    }

    private void assertSource(QemuFacts facts, String what, String remedy) throws IOException {
        assertOne(ask(facts, QemuInspectorTest::source), what, remedy);
    }

    private static void assertOne(List<Objection> found, String what, String remedy) {
        assertEquals(1, found.size(), found.toString());
        assertTrue(found.getFirst().what().contains(what), found.toString());
        assertTrue(found.getFirst().remedy().contains(remedy), found.toString());
    }

    @Test
    void nothingStandsInTheWay() throws IOException {
        QemuFacts facts = facts(SHARED, Map.of("net0", "virtio-net-pci"),
                drive("virtio0", false));
        assertEquals(List.of(), ask(facts, QemuInspectorTest::source));
        answers.put("query-status", "{\"status\": \"inmigrate\", \"running\": false}");
        assertEquals(List.of(), ask(facts, QemuInspector::target));
    }

    /** Then all of it would be in the state. */
    @Test
    void privateMemoryIsRefusedWhereDevicesCannotBeSavedAlone() throws IOException {
        assertSource(facts(new QemuFacts.Backend("pc.ram", "memory-backend-ram", 1 << 20, false,
                "", 4096), Map.of()), "memory-backend-ram pc.ram",
                "memory-backend-file,id=ram,size=SIZE,share=on");
        assertSource(facts(new QemuFacts.Backend("ram", "memory-backend-file", 1 << 20, false,
                "/dev/shm/x", 4096), Map.of()), "share=off",
                "-object memory-backend-file,id=ram,share=on");
    }

    @Test
    void privateMemoryIsMovedWhereTheyCan() throws IOException {
        QemuFacts facts = facts(new QemuFacts.Backend("pc.ram", "memory-backend-ram", 1 << 20,
                false, "", 4096), Map.of());
        answers.put("query-target", "{\"arch\": \"x86_64\"}");
        answers.put("query-commands", "[{\"name\": \"xen-save-devices-state\"}]");
        assertEquals(List.of(), ask(facts, QemuInspectorTest::source));
        answers.put("query-target", "{\"arch\": \"aarch64\"}");
        assertEquals(1, ask(facts, QemuInspectorTest::source).size());
    }

    /** Kept after a move: it may run at the target. */
    @Test
    void whatIsMarkedIsRefusedWhileItIsPaused() throws IOException {
        answers.put("qom-get", "\"secret\"");
        answers.put("query-status", "{\"status\": \"running\"}");
        assertEquals(List.of(), ask(facts(SHARED, Map.of()), QemuInspectorTest::source));
        answers.put("query-status", "{\"status\": \"paused\"}");
        assertSource(facts(SHARED, Map.of()), "was saved by a move",
                "object_del pageferry-saved");
    }

    @Test
    void aBackendThatIsNoRamIsRefused() throws IOException {
        answers.put("query-memory-size-summary",
                "{\"base-memory\": 524288, \"plugged-memory\": 0}");
        assertSource(facts(SHARED, Map.of()), "RAM is 524288", "leave the -object out");
    }

    @Test
    void devicesThatWriteUnseenAreRefused() throws IOException {
        assertSource(facts(SHARED, Map.of("gpu", "vfio-pci")), "vfio-pci", "device_del");
        assertSource(facts(SHARED, Map.of("scsi", "vhost-scsi-pci")), "vhost-scsi-pci",
                "--tracker scan");
        assertSource(facts(SHARED, Map.of(), drive("d", true)),
                "O_DIRECT", "cache=writeback");
    }

    /** The words of QEMU 7.2. */
    @Test
    void aDeviceOfTheHostBehindAnOrdinaryCardIsTold() throws IOException {
        answers.put("human-monitor-command", "\"n1: index=0,type=user,net=10.0.2.0,restrict=off"
                + "\\r\\nnet0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:56"
                + "\\r\\n \\\\ n0: index=0,type=vhost-vdpa,vhost-vdpa0\\r\\n\"");
        List<Objection> found = ask(facts(SHARED, Map.of("net0", "virtio-net-pci")),
                QemuInspectorTest::source);
        assertOne(found, "netdev n0 is vhost-vdpa", "--tracker scan");
        assertTrue(found.getFirst().trackingOnly());
    }

    @Test
    void aProcessBehindADeviceIsToldOnlyWhereItsRingsAreHidden() throws IOException {
        QemuFacts facts = facts(SHARED, Map.of("disk0", "vhost-user-blk-pci"));
        assertEquals(List.of(), ask(facts, QemuInspectorTest::source));
        answers.put("qom-get", "true");
        answers.put("query-status", "{\"status\": \"running\", \"running\": true}");
        List<Objection> found = ask(facts, QemuInspectorTest::source);
        assertTrue(found.stream().anyMatch(one -> one.what().contains("disk0 has packed=on")
                && one.trackingOnly()), found.toString());
        answers.put("qom-get", "false");
        answers.put("qom-list", "[{\"name\": \"c0\", \"type\":"
                + " \"child<cryptodev-vhost-user>\"}]");
        assertOne(ask(facts, QemuInspectorTest::source), "object c0 is cryptodev-vhost-user",
                "--tracker scan");
    }

    @Test
    void ringsAndDevicesBehindADiskAreTold() throws IOException {
        answers.put("query-named-block-nodes",
                "[{\"drv\": \"raw\", \"node-name\": \"a\"},"
                        + " {\"drv\": \"nvme-io_uring\", \"node-name\": \"b\"}]");
        List<Objection> found = ask(facts(SHARED, Map.of()), QemuInspectorTest::source);
        assertOne(found, "block node b", "--tracker scan");
        assertTrue(found.getFirst().trackingOnly());
    }

    @Test
    void memoryThatANewerQemuWouldSendItselfIsRefused() throws IOException {
        QemuFacts old = facts(SHARED, Map.of());
        for (String version : List.of("8.0.5", "7.2.22")) {
            assertEquals(List.of(), ask(of(version, old), QemuInspectorTest::source), version);
        }
        for (String version : List.of("8.1.0", "10.0.2")) {
            assertSource(of(version, old), "memory-backend-memfd ram",
                    "memory-backend-file,id=ram");
        }
        answers.put("qom-get", "true");
        assertSource(old, "aux-ram-share=on", "leave aux-ram-share=on out");
    }

    private static QemuFacts of(String version, QemuFacts other) {
        return new QemuFacts(other.name(), version, other.machine(), other.accelerator(),
                other.cpu(), other.cpuFeatures(), other.vcpus(), other.memory(), other.devices(),
                other.layout(), other.otherBlocks(), other.drives());
    }

    @Test
    void memoryThatGrowsByItselfIsTold() throws IOException {
        answers.put("query-memory-size-summary",
                "{\"base-memory\": 524288, \"plugged-memory\": 0}");
        assertSource(facts(SHARED, Map.of("vm0", "virtio-mem-pci")), "RAM is 524288",
                "requested-size");
    }

    @Test
    void aMigrationAndItsBlockersAreTold() throws IOException {
        answers.put("query-migrate", "{\"status\": \"active\", \"blocked\": true,"
                + " \"blocked-reasons\": [\"The 9p device is mounted\"]}");
        List<Objection> found = ask(facts(SHARED, Map.of()), QemuInspectorTest::source);
        assertEquals(2, found.size());
        assertTrue(found.getFirst().toString().contains("is active"), found.toString());
        assertTrue(found.getLast().toString().contains("9p device"), found.toString());
    }

    @Test
    void aBlockJobIsTold() throws IOException {
        answers.put("query-block-jobs", "[{\"device\": \"d0\", \"type\": \"mirror\"}]");
        assertSource(facts(SHARED, Map.of()), "block job d0 (mirror)", "block-job-cancel");
    }

    @Test
    void statesThatCannotMoveAreTold() throws IOException {
        for (String state : List.of("prelaunch", "inmigrate", "suspended", "guest-panicked",
                "internal-error", "a-new-state")) {
            answers.put("query-status", "{\"status\": \"" + state + "\"}");
            assertEquals(1, ask(facts(SHARED, Map.of()), QemuInspectorTest::source).size(), state);
        }
        answers.put("query-status", "{\"status\": \"paused\"}");
        assertEquals(List.of(), ask(facts(SHARED, Map.of()), QemuInspectorTest::source));
        answers.put("query-status", "{\"status\": \"postmigrate\"}");
        assertSource(facts(SHARED, Map.of()), "postmigrate", "cont it at its monitor, and stop");
    }

    @Test
    void aTargetThatDoesNotWaitIsTold() throws IOException {
        assertOne(ask(facts(SHARED, Map.of()), QemuInspector::target), "running",
                "-S -incoming defer");
        answers.put("query-status", "{\"status\": \"inmigrate\"}");
        answers.put("query-migrate", "{\"socket-address\": [{\"path\": \"/x\"}]}");
        assertOne(ask(facts(SHARED, Map.of()), QemuInspector::target), "already listens",
                "-S -incoming defer");
        answers.put("query-migrate", "{}");
        answers.put("query-migrate-capabilities", "[]");
        assertEquals(2, ask(facts(SHARED, Map.of()), QemuInspector::target).size());
    }

    private static List<Objection> source(QemuControl qemu, QemuFacts facts)
            throws QmpException {
        return QemuInspector.source(qemu, facts, false,
                SavedDevices.arePossible(qemu, facts.machine()));
    }

    private List<Objection> open(String target, String flags) throws IOException {
        return OpenDescriptors.of(process(target, flags)).objections(false, List.of());
    }

    private Path process(String target, String flags) throws IOException {
        Path process = Files.createTempDirectory(folder, "process");
        Files.createDirectories(process.resolve("fd"));
        Files.createDirectories(process.resolve("fdinfo"));
        Files.createSymbolicLink(process.resolve("fd/7"), Path.of(target));
        Files.writeString(process.resolve("fdinfo/7"), "pos:\t0\nflags:\t" + flags
                + "\nmnt_id:\t24\n");
        // One that was closed while we looked.
        Files.createSymbolicLink(process.resolve("fd/8"), Path.of("/dev/vfio/1"));
        return process;
    }

    @Test
    void whatOnlyTheProcessShowsIsTold() throws IOException {
        assertEquals(List.of(), open("/disk", "0100002"));
        assertEquals(List.of(), open("socket:[123]", "02"));
        assertEquals(List.of(), open("/dev/vhost-net", "0100002"));
        assertOne(open("/dev/vhost-scsi", "0100002"), "/dev/vhost-scsi", "without vhost");
        assertOne(open("anon_inode:[io_uring]", "02"), "io_uring", "aio=threads");
        assertOne(open("/dev/vfio/12", "0100002"), "/dev/vfio/12", "device_del");
        assertOne(OpenDescriptors.of(folder.resolve("gone")).objections(true, List.of()),
                "no process", "start it");
        Process real = new ProcessBuilder("sleep", "1000").start();
        try {
            assertEquals(List.of(), OpenDescriptors.of(real.pid()).objections(false, List.of()));
        } finally {
            real.destroyForcibly();
        }
    }

    /** What a backend pins, nobody drains. */
    @Test
    void whatABackendHasOpenIsTold() throws IOException {
        assertEquals(List.of(), ofBackend("/disk", "0100002"));
        assertEquals(List.of(), ofBackend("/dev/vhost-net", "02"));
        for (String device : List.of("anon_inode:[io_uring]", "/dev/vfio/12", "/dev/uio3",
                "/dev/infiniband/uverbs0", "/dev/nvme0", "/dev/ng0n1", "/dev/sg1",
                "/sys/bus/pci/devices/0000:00:04.0/resource0")) {
            assertOne(ofBackend(device, "02"), "backend 7 has " + device + " open",
                    "cache.direct=off");
        }
        assertEquals(List.of(), ofBackend("/dev/nvme0n1", "02"));
        assertTrue(ofBackend("/dev/vfio/1", "02").getFirst().trackingOnly());
    }

    @Test
    @EnabledIfSystemProperty(named = "os.arch", matches = "amd64")
    void anImageThatABackendOpenedDirectlyIsTold() throws IOException {
        assertOne(ofBackend("/disk", "0140002"), "/disk open with O_DIRECT", "cache.direct=off");
    }

    private List<Objection> ofBackend(String target, String flags) throws IOException {
        return OpenDescriptors.ofBackend(process(target, flags), "backend 7");
    }

    @Test
    @EnabledIfSystemProperty(named = "os.arch", matches = "amd64")
    void anImageOpenedDirectlyIsTold() throws IOException {
        List<Objection> found = open("/disk", "0140002");
        assertOne(found, "/disk with O_DIRECT", "cache=writeback");
        assertTrue(found.getFirst().trackingOnly());
    }
}
