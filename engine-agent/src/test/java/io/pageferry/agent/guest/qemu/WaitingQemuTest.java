package io.pageferry.agent.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoMachine.Memory;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.e2e.Poll;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.TargetGuest;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.qmp.FakeMonitor;
import io.pageferry.agent.guest.qemu.qmp.MonitorAddress;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A QEMU that waits for a guest, while somebody has another monitor of it. */
class WaitingQemuTest {
    private static final long MEMORY = 192L << 20;
    private static final String FOUND_ON = "auto-converge";
    private static final Pattern COMMAND = Pattern.compile("\"execute\":\"([^\"]+)\"");

    @TempDir
    Path folder;

    @Test
    void aTargetThatWasChangedWhileItWaitedIsRefused() throws IOException, GuestException {
        Path monitor = folder.resolve("other");
        DemoMachine machine = new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, MEMORY, 1,
                Memory.FILE, List.of("-qmp", "unix:" + monitor + ",server=on,wait=off"));
        try (DemoQemu qemu = DemoQemu.target(machine, folder.resolve("vm"));
                QemuControl other = QemuControl.connect(monitor)) {
            Map<String, String> facts = QemuProbe.read(other).asMap();
            GuestDescription offered = new GuestDescription("qemu", "vm",
                    RegionTable.single("ram", MEMORY), 0, facts);
            TargetGuest incoming = new QemuKind().openTarget(GuestUri.parse("qemu:" + qemu.qmp()),
                    new GuestSetup(TrackerChoice.AUTO, false, pid -> -1));
            try {
                assertEquals(MEMORY, incoming.prepare(offered).regions().totalBytes());
                other.qmp().execute("device_add", JsonNodeFactory.instance.objectNode()
                        .put("driver", "virtio-rng-pci").put("id", "dice"));
                GuestException refused = assertThrows(GuestException.class,
                        () -> incoming.prepare(offered));
                assertTrue(refused.getMessage().contains("dice"), refused.getMessage());
                other.qmp().execute("migrate-incoming", JsonNodeFactory.instance.objectNode()
                        .put("uri", "unix:" + folder.resolve("theirs")));
                refused = assertThrows(GuestException.class, () -> incoming.prepare(offered));
                assertTrue(refused.getMessage().contains("already listens"),
                        refused.getMessage());
            } finally {
                incoming.close();
            }
        }
    }

    /** A source waits for these answers: at its offer for all, at its first page for two. */
    @Test
    void whatFitsIsNotLookedAtTwice() throws IOException, GuestException {
        DemoMachine machine = new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, MEMORY, 1,
                Memory.FILE, List.of("-qmp", "unix:" + folder.resolve("other")
                + ",server=on,wait=off"));
        List<String> asked = new CopyOnWriteArrayList<>();
        try (DemoQemu qemu = DemoQemu.target(machine, folder.resolve("vm"));
                QemuControl other = QemuControl.connect(folder.resolve("other"));
                FakeMonitor tap = new FakeMonitor(folder.resolve("tap"),
                        client -> relay(client, qemu.qmp(), asked))) {
            GuestDescription offered = new GuestDescription("qemu", "vm",
                    RegionTable.single("ram", MEMORY), 0, QemuProbe.read(other).asMap());
            QemuProcess process = QemuProcess.of(new MonitorAddress.Socket(tap.path()),
                    qemu.process().pid());
            TargetGuest incoming = QemuIncoming.open(process,
                    new GuestSetup(TrackerChoice.AUTO, false, pid -> -1), gone -> { });
            try {
                asked.clear();
                incoming.requireFits(offered);
                System.out.println("asked at the offer: " + asked.size());
                assertTrue(asked.size() > 10, asked::toString);
                asked.clear();
                incoming.prepare(offered);
                assertEquals(List.of("query-status", "query-migrate"), asked);
                incoming.requireFits(offered);
                other.qmp().execute("migrate-incoming", JsonNodeFactory.instance.objectNode()
                        .put("uri", "unix:" + folder.resolve("theirs")));
                assertTrue(assertThrows(GuestException.class, () -> incoming.prepare(offered))
                        .getMessage().contains("already listens"));
            } finally {
                incoming.close();
            }
        }
    }

    /** What can be taken back is said beside the last pages, and is where nothing is loaded. */
    @Test
    void itIsArmedBeforeItsStateComesAndLeftAsItWasFound() throws IOException, GuestException {
        DemoMachine machine = new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT, MEMORY, 1,
                Memory.FILE, List.of("-qmp", "unix:" + folder.resolve("other")
                + ",server=on,wait=off", "-qmp", "unix:" + folder.resolve("guard")
                + ",server=on,wait=off"));
        List<String> asked = new CopyOnWriteArrayList<>();
        try (DemoQemu qemu = DemoQemu.target(machine, folder.resolve("vm"));
                QemuControl other = QemuControl.connect(folder.resolve("other"));
                FakeMonitor tap = new FakeMonitor(folder.resolve("tap"),
                        client -> relay(client, qemu.qmp(), asked))) {
            other.setCapabilities(Map.of(FOUND_ON, true));
            TargetSettings found = TargetSettings.of(other);
            GuestDescription offered = new GuestDescription("qemu", "vm",
                    RegionTable.single("ram", MEMORY), 0, QemuProbe.read(other).asMap());
            QemuProcess process = QemuProcess.of(new MonitorAddress.Socket(tap.path()),
                    qemu.process().pid());
            TargetGuest incoming = QemuIncoming.open(process,
                    new GuestSetup(TrackerChoice.AUTO, false, pid -> -1), gone -> { });
            try {
                arm(incoming, offered, other);
                incoming.discardOrThrow();
                assertEquals(found, TargetSettings.of(other));

                arm(incoming, offered, other);
                try (QemuHandle guard = new QemuHandle(QemuProcess.of(
                        new MonitorAddress.Socket(folder.resolve("guard")),
                        qemu.process().pid()), incoming.recoveryAddress())) {
                    guard.forget();
                }
                assertEquals(found, TargetSettings.of(other), "its agent was killed");
                incoming.discardOrThrow();

                arm(incoming, offered, other);
                asked.clear();
                assertThrows(GuestException.class, () -> incoming.loadState(new byte[1]));
                assertEquals(List.of("stop", "migrate-incoming"), asked.subList(0, 2),
                        "a paused guest waits for each");
            } finally {
                incoming.close();
            }
        }
    }

    private static void arm(TargetGuest incoming, GuestDescription offered, QemuControl other)
            throws IOException, GuestException {
        incoming.prepare(offered);
        incoming.stateComes();
        Poll.until(() -> other.announceRounds() == 0
                && other.capabilities().get(QemuControl.LATE_BLOCK_ACTIVATE)
                && !other.capabilities().get(FOUND_ON), () -> "it is not armed");
    }

    /** Passes all on, and writes down what is asked. */
    private static void relay(FakeMonitor.Client client, Path monitor, List<String> asked)
            throws IOException {
        try (SocketChannel qemu = SocketChannel.open(UnixDomainSocketAddress.of(monitor))) {
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    Channels.newInputStream(qemu).transferTo(
                            Channels.newOutputStream(client.channel()));
                    client.channel().close(); // as a QEMU that ended
                } catch (IOException e) {
                    return; // one of both has left
                }
            });
            for (String line = client.in().readLine(); line != null;
                    line = client.in().readLine()) {
                Matcher command = COMMAND.matcher(line);
                assertTrue(command.find(), line);
                asked.add(command.group(1));
                qemu.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
            }
        }
    }
}
