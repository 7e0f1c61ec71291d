package io.pageferry.agent.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.GuestLoad;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.e2e.Poll;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.agent.guest.SourceGuest;
import io.pageferry.agent.guest.qemu.qmp.FakeMonitor;
import io.pageferry.agent.guest.qemu.qmp.MonitorAddress;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.SavedDevices;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What a real QEMU is asked and told by a source, step by step. */
class QemuGuestTest {
    /** Of SeaBIOS, the largest of its ROMs. */
    private static final long FIRMWARE_BYTES = 256 << 10;

    @TempDir
    Path folder;

    private DemoQemu start(String... more) throws IOException {
        return DemoQemu.source(new DemoMachine(TestMachines.tools(), GuestLoad.LIGHT,
                192L << 20, 1, DemoMachine.Memory.PLAIN, List.of(more)), folder.resolve("vm"));
    }

    private static SourceGuest open(DemoQemu qemu) throws GuestException {
        return new QemuKind().openSource(GuestUri.parse("qemu:" + qemu.qmp()),
                new GuestSetup(TrackerChoice.SCAN, false, pid -> -1));
    }

    /** A QEMU that ends while it is asked something: "failed" would say that its guest runs on. */
    @Test
    void aGuestThatEndsWhileItIsAskedHasEnded() throws IOException, GuestException {
        try (DemoQemu qemu = start()) {
            SourceGuest guest = open(qemu);
            try {
                guest.requireUnchanged();
                qemu.process().kill();
                for (Executable question : List.<Executable>of(guest::requireUnchanged,
                        guest::isRunning, guest::pause)) {
                    assertEquals(ErrorCode.GUEST_ENDED,
                            assertThrows(GuestException.class, question).code());
                }
            } finally {
                guest.close();
            }
        }
    }

    /** So that no code is cold in the pause: the kernel counts what this thread read. */
    @Test
    void theFirmwareIsReadOnceWhileTheGuestRuns() throws IOException, GuestException {
        try (DemoQemu qemu = start()) {
            SourceGuest guest = open(qemu);
            try {
                long before = readBytes();
                guest.requireUnchanged();
                long first = readBytes() - before;
                assertTrue(first >= FIRMWARE_BYTES, () -> "read " + first);
                guest.requireUnchanged();
                long second = readBytes() - before - first;
                assertTrue(second < FIRMWARE_BYTES, () -> "read again: " + second);
            } finally {
                guest.close();
            }
        }
    }

    /** What the pause looks at is looked at once before: nothing is paused for nothing. */
    @Test
    void whatWouldEndThePauseIsFoundBeforeIt() throws IOException, GuestException {
        Path monitor = folder.resolve("operator");
        try (DemoQemu qemu = start("-qmp", "unix:" + monitor + ",server=on,wait=off");
                QemuControl operator = QemuControl.connect(monitor)) {
            SourceGuest guest = new QemuKind().openSource(GuestUri.parse("qemu:" + qemu.qmp()),
                    new GuestSetup(TrackerChoice.AUTO, false, pid -> -1));
            try {
                ObjectNode disk = JsonNodeFactory.instance.objectNode().put("driver", "file")
                        .put("node-name", "later").put("filename",
                                Files.write(folder.resolve("disk"), new byte[1 << 20]).toString());
                disk.putObject("cache").put("direct", true);
                operator.qmp().execute("blockdev-add", disk);
                String why = assertThrows(GuestException.class, guest::requireUnchanged)
                        .getMessage();
                assertTrue(why.contains("O_DIRECT"), why);
                assertTrue(guest.isRunning());
            } finally {
                guest.close();
            }
        }
    }

    /** A paused guest waits for each round trip: its state is asked with the stop. */
    @Test
    void noQuestionStandsBetweenTheStopAndTheSave() throws IOException, GuestException {
        List<String> asked = new CopyOnWriteArrayList<>();
        try (DemoQemu qemu = start();
                FakeMonitor tap = TappedMonitor.open(folder.resolve("tap"), qemu.qmp(), asked)) {
            QemuProcess process = QemuProcess.of(new MonitorAddress.Socket(tap.path()),
                    qemu.process().pid());
            SourceGuest guest = QemuGuest.open(process, process.connect(),
                    new GuestSetup(TrackerChoice.SCAN, false, pid -> -1));
            try {
                guest.requireUnchanged();
                asked.clear();
                guest.pause();
                guest.saveState(OutputStream.nullOutputStream());
                List<String> saved = List.copyOf(asked);
                assertEquals(List.of("stop", "query-status", "query-migrate"),
                        saved.subList(0, 3));
                assertEquals(1, saved.stream().filter("query-migrate"::equals).count());
                assertTrue(saved.contains("xen-save-devices-state"), saved::toString);
            } finally {
                guest.close();
            }
        }
    }

    private static long readBytes() throws IOException {
        return Files.readString(Path.of("/proc/thread-self/io")).lines()
                .filter(line -> line.startsWith("rchar: "))
                .mapToLong(line -> Long.parseLong(line.substring("rchar: ".length())))
                .findFirst().orElseThrow();
    }

    /** A guard or settle lets a guest go on that was saved: it may be paused and moved again. */
    @Test
    void whatAGuardLetsGoIsMarkedNoMore() throws IOException, GuestException {
        try (DemoQemu qemu = start()) {
            SourceGuest guest = open(qemu);
            Map<String, String> address;
            try {
                address = guest.recoveryAddress();
                guest.pause();
                guest.saveState(OutputStream.nullOutputStream());
            } finally {
                guest.close();
            }
            assertTrue(isMarked(qemu));
            try (GuestHandle handle = new QemuKind().handle(address).orElseThrow()) {
                handle.resume();
                assertEquals(GuestHandle.Condition.RUNNING, handle.condition());
            }
            assertFalse(isMarked(qemu));
        }
    }

    /** Its owner paused it before the move, lost the link in it, and let it go on in between. */
    @Test
    void aGuestThatRanSinceIsSavedAnew() throws IOException, GuestException {
        Path monitor = folder.resolve("operator");
        try (DemoQemu qemu = start("-qmp", "unix:" + monitor + ",server=on,wait=off");
                QemuControl operator = QemuControl.connect(monitor)) {
            operator.stop();
            SourceGuest guest = open(qemu);
            try {
                guest.requireUnchanged();
                byte[] first = saved(guest);
                // Rolled back: it is not resumed, for it did not run.
                guest.requireUnchanged();
                long printed = Files.size(qemu.console());
                assertTrue(operator.cont().running());
                Poll.until(() -> Files.size(qemu.console()) > printed, () -> "it does not run");
                operator.stop();
                guest.requireUnchanged();
                assertFalse(Arrays.equals(first, saved(guest)));
            } finally {
                guest.close();
            }
        }
    }

    private static byte[] saved(SourceGuest guest) throws IOException, GuestException {
        ByteArrayOutputStream state = new ByteArrayOutputStream();
        guest.pause();
        guest.saveState(state);
        return state.toByteArray();
    }

    private static boolean isMarked(DemoQemu qemu) throws IOException {
        try (QemuControl control = qemu.control()) {
            return SavedDevices.isMarked(control);
        }
    }
}
