package io.pageferry.agent.guest.qemu.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.qmp.FakeMonitor;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The answers are those of QEMU 7.2, with a qemu-storage-daemon behind it. */
class VhostUserDevicesTest {
    private static final Pattern COMMAND = Pattern.compile("\"execute\":\"([^\"]+)\"");
    private static final String PLACE = "/machine/peripheral/disk0";

    @TempDir
    Path folder;

    private final Map<String, String> answers = new HashMap<>();

    VhostUserDevicesTest() {
        answers.put("qmp_capabilities", "{}");
        answers.put("human-monitor-command", "\"\"");
        answers.put("qom-list", "[]");
        answers.put("qom-get", "\"back\"");
        answers.put("query-chardev", "[{\"frontend-open\": true, \"filename\":"
                + " \"unix:/run/back.sock,server=on\", \"label\": \"back\"}, {\"filename\":"
                + " \"unix:/run/vm.qmp,server=on\", \"label\": \"compat_monitor0\"}]");
        answers.put("x-query-virtio", "[{\"name\": \"virtio-blk\", \"path\": \"" + PLACE
                + "/virtio-backend\"}]");
        status(false);
        ring(315, 315);
    }

    private void status(boolean started) {
        answers.put("x-query-virtio-status", "{\"num-vqs\": 1, \"vhost-started\": " + started
                + "}");
    }

    private void ring(int taken, int used) {
        answers.put("x-query-virtio-queue-status", "{\"vring-desc\": 44773376,"
                + " \"last-avail-idx\": " + taken + ", \"used-idx\": " + used + "}");
    }

    private void serve(FakeMonitor.Client client) throws IOException {
        client.say(FakeMonitor.GREETING);
        for (String line = client.in().readLine(); line != null; line = client.in().readLine()) {
            Matcher command = COMMAND.matcher(line);
            Matcher id = FakeMonitor.ID.matcher(line);
            assertTrue(command.find() && id.find(), line);
            String answer = answers.get(command.group(1));
            client.say((answer == null ? "{\"error\": {\"class\": \"CommandNotFound\", \"desc\":"
                    + " \"no such command\"}" : "{\"return\": " + answer) + ", \"id\": "
                    + id.group(1) + "}\n");
        }
    }

    private interface Question {
        void ask(QemuControl qemu, VhostUserDevices devices) throws IOException;
    }

    private void ask(Map<String, String> devices, Question question) throws IOException {
        QemuFacts facts = new QemuFacts("vm", "7.2.0", "pc-q35-7.2", "kvm", "max-x86_64-cpu", "",
                1, List.of(), new TreeMap<>(devices), new TreeMap<>(), new TreeMap<>(),
                List.of());
        try (FakeMonitor monitor = new FakeMonitor(folder.resolve("qmp"), this::serve);
                QemuControl qemu = QemuControl.connect(monitor.path())) {
            question.ask(qemu, VhostUserDevices.of(qemu, facts));
        }
    }

    private void ask(Question question) throws IOException {
        ask(Map.of("disk0", "vhost-user-blk-pci"), question);
    }

    @Test
    void itsOwnSocketsAreToldFromOthers() throws IOException {
        ask((qemu, devices) -> {
            assertFalse(devices.isEmpty());
            assertEquals(List.of(), devices.objections());
            assertTrue(devices.mayWorkOver(""));
            assertTrue(devices.mayWorkOver("/run/back.sock"));
            assertFalse(devices.mayWorkOver("/run/vm.qmp"), "a monitor");
        });
        ask(Map.of("disk0", "virtio-blk-pci"), (qemu, devices) -> {
            assertTrue(devices.isEmpty());
            assertFalse(devices.mayWorkOver(""));
            devices.requireIdle(qemu);
        });
    }

    @Test
    void aCardIsFoundByItsNetdev() throws IOException {
        answers.put("human-monitor-command", "\" \\\\ back: index=0,type=vhost-user,"
                + "vhost-user0 to back\\r\\n\"");
        ask(Map.of("disk0", "virtio-net-pci"), (qemu, devices) ->
                assertTrue(devices.mayWorkOver("/run/back.sock")));
    }

    @Test
    void aRingWithNothingUnderWayIsIdle() throws IOException {
        ask((qemu, devices) -> devices.requireIdle(qemu));
        ring(2, 2);
        answers.put("x-query-virtio-queue-status", "{\"vring-desc\": 0, \"last-avail-idx\": 5,"
                + " \"used-idx\": 0}");
        ask((qemu, devices) -> devices.requireIdle(qemu));
    }

    @Test
    void whatIsUnderWayAlthoughTheGuestStandsStillIsTold() throws IOException {
        ring(315, 313);
        refused("disk0 has 2 requests under way");
        ring(1, 0xffff);
        refused("disk0 has 2 requests under way");
        ring(1, 1);
        status(true);
        refused("disk0 works on although");
        status(false);
        answers.put("x-query-virtio", "[]");
        refused("disk0 does not show its rings");
    }

    private void refused(String words) throws IOException {
        ask((qemu, devices) -> {
            GuestException e = assertThrows(GuestException.class,
                    () -> devices.requireIdle(qemu));
            assertTrue(e.getMessage().contains(words), e.getMessage());
            assertTrue(e.remedy().contains("GET_VRING_BASE"), e.remedy());
        });
    }

    @Test
    void anOldQemuShowsNoRings() throws IOException {
        answers.remove("x-query-virtio");
        ask((qemu, devices) -> {
            assertEquals(1, devices.objections().size());
            assertTrue(devices.objections().getFirst().remedy().contains("7.2"));
        });
    }
}
