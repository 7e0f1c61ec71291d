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
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A QEMU that waits for a guest, while somebody has another monitor of it. */
class WaitingQemuTest {
    private static final long MEMORY = 192L << 20;
    private static final String FOUND_ON = "auto-converge";

    @TempDir
    Path folder;

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    private <T extends AutoCloseable> T kept(T one) {
        opened.push(one);
        return one;
    }

    @AfterEach
    void close() {
        CloseHelper.closeAll(opened);
    }

    /** A QEMU that waits, a second monitor of it, and one on which all that is asked is seen. */
    private final class Waiting {
        private final List<String> asked = new CopyOnWriteArrayList<>();
        private final DemoQemu qemu;
        private final QemuControl other;
        private final FakeMonitor tap;

        Waiting() throws IOException, GuestException {
            qemu = kept(DemoQemu.target(new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT,
                    MEMORY, 1, Memory.FILE, List.of("-qmp", socket("other"), "-qmp",
                    socket("guard"))), folder.resolve("vm")));
            other = kept(QemuControl.connect(folder.resolve("other")));
            tap = kept(TappedMonitor.open(folder.resolve("tap"), qemu.qmp(), asked));
        }

        private String socket(String name) {
            return "unix:" + folder.resolve(name) + ",server=on,wait=off";
        }

        GuestDescription offered() throws IOException, GuestException {
            return new GuestDescription("qemu", "vm", RegionTable.single("ram", MEMORY), 0,
                    QemuProbe.read(other).asMap());
        }

        TargetGuest incoming() throws IOException, GuestException {
            return QemuIncoming.open(process(tap.path()),
                    new GuestSetup(TrackerChoice.AUTO, false, pid -> -1), gone -> { });
        }

        QemuProcess process(Path monitor) throws IOException, GuestException {
            return QemuProcess.of(new MonitorAddress.Socket(monitor), qemu.process().pid());
        }

        /** Somebody else has it listen for a guest. */
        void listen() throws IOException, GuestException {
            other.qmp().execute("migrate-incoming", JsonNodeFactory.instance.objectNode()
                    .put("uri", "unix:" + folder.resolve("theirs")));
        }
    }

    @Test
    void aTargetThatWasChangedWhileItWaitedIsRefused() throws IOException, GuestException {
        Waiting waiting = new Waiting();
        GuestDescription offered = waiting.offered();
        TargetGuest incoming = new QemuKind().openTarget(
                GuestUri.parse("qemu:" + waiting.qemu.qmp()),
                new GuestSetup(TrackerChoice.AUTO, false, pid -> -1));
        try {
            assertEquals(MEMORY, incoming.prepare(offered).regions().totalBytes());
            waiting.other.qmp().execute("device_add", JsonNodeFactory.instance.objectNode()
                    .put("driver", "virtio-rng-pci").put("id", "dice"));
            refused(incoming, offered, "dice");
            waiting.listen();
            refused(incoming, offered, "already listens");
        } finally {
            incoming.close();
        }
    }

    /** A source waits for these answers: at its offer for all, at its first page for two. */
    @Test
    void whatFitsIsNotLookedAtTwice() throws IOException, GuestException {
        Waiting waiting = new Waiting();
        GuestDescription offered = waiting.offered();
        TargetGuest incoming = waiting.incoming();
        try {
            waiting.asked.clear();
            incoming.requireFits(offered);
            System.out.println("asked at the offer: " + waiting.asked.size());
            assertTrue(waiting.asked.size() > 10, waiting.asked::toString);
            waiting.asked.clear();
            incoming.prepare(offered);
            assertEquals(List.of("query-status", "query-migrate"), waiting.asked);
            incoming.requireFits(offered);
            waiting.listen();
            refused(incoming, offered, "already listens");
        } finally {
            incoming.close();
        }
    }

    /** What can be taken back is said beside the last pages, and is where nothing is loaded. */
    @Test
    void itIsArmedBeforeItsStateComesAndLeftAsItWasFound() throws IOException, GuestException {
        Waiting waiting = new Waiting();
        QemuControl other = waiting.other;
        other.setCapabilities(Map.of(FOUND_ON, true));
        TargetSettings found = TargetSettings.of(other);
        GuestDescription offered = waiting.offered();
        TargetGuest incoming = waiting.incoming();
        try {
            arm(incoming, offered, other);
            incoming.discardOrThrow();
            assertEquals(found, TargetSettings.of(other));

            arm(incoming, offered, other);
            try (QemuHandle guard = new QemuHandle(waiting.process(folder.resolve("guard")),
                    incoming.recoveryAddress())) {
                guard.forget();
            }
            assertEquals(found, TargetSettings.of(other), "its agent was killed");
            incoming.discardOrThrow();

            arm(incoming, offered, other);
            waiting.asked.clear();
            assertThrows(GuestException.class, () -> incoming.loadState(new byte[1]));
            assertEquals(List.of("stop", "migrate-incoming"), waiting.asked.subList(0, 2),
                    "a paused guest waits for each");
        } finally {
            incoming.close();
        }
    }

    private static void refused(TargetGuest incoming, GuestDescription offered, String word) {
        GuestException refused = assertThrows(GuestException.class,
                () -> incoming.prepare(offered));
        assertTrue(refused.getMessage().contains(word), refused.getMessage());
    }

    private static void arm(TargetGuest incoming, GuestDescription offered, QemuControl other)
            throws IOException, GuestException {
        incoming.prepare(offered);
        incoming.stateComes();
        Poll.until(() -> other.announceRounds() == 0
                && other.capabilities().get(QemuControl.LATE_BLOCK_ACTIVATE)
                && !other.capabilities().get(FOUND_ON), () -> "it is not armed");
    }
}
