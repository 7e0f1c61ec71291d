package io.pageferry.agent.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.pageferry.agent.e2e.Sampled;
import io.pageferry.agent.guest.qemu.check.Objection;
import io.pageferry.agent.guest.qemu.check.OpenDescriptors;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuInspector;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.qmp.DeviceState;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.guest.qemu.qmp.QmpException;
import io.pageferry.agent.guest.qemu.qmp.RunState;
import io.pageferry.agent.host.linux.Requirements;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real QEMU and one Linux guest, which all tests share and pass on: where a test moves it, the
 * next one finds it in its new home. After every test it must tick on, and nothing be lost.
 */
@Sampled
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DemoQemuTest {
    private static final Duration LIMIT = Requirements.HANG;

    @TempDir
    static Path folder;

    private final List<Path> consoles = new ArrayList<>();
    private DemoMachine machine;
    private DemoQemu home;
    private QemuControl control;
    private ConsoleFollower follower;
    private int hops;

    @BeforeAll
    void boot() throws IOException {
        machine = TestMachines.light();
        home = DemoQemu.source(machine, folder.resolve("vm0"));
        settle();
        assertTrue(follower.await(ConsoleFollower::ready, LIMIT),
                () -> "not ready: " + follower.lastTick());
    }

    private void settle() throws IOException {
        consoles.add(home.console());
        if (follower != null) {
            follower.close();
        }
        follower = new ConsoleFollower(consoles);
        control = home.control();
    }

    @AfterAll
    void end() throws IOException {
        if (home != null) {
            follower.close();
            control.close();
            home.close();
            assertFalse(home.process().isAlive());
            assertFalse(Files.exists(home.memoryFile()));
            assertFalse(Files.exists(home.console()));
        }
    }

    @AfterEach
    void livesOn() throws IOException {
        assertTrue(follower.awaitTicks(20, LIMIT), () -> "stopped at " + follower.lastTick());
        ConsoleLog log = ConsoleLog.read(consoles);
        assertEquals(List.of(), log.gaps());
        assertEquals(0, log.bad());
        assertEquals(List.of(), log.problems());
    }

    private byte[] save() throws IOException {
        ByteArrayOutputStream state = new ByteArrayOutputStream();
        WritableByteChannel sink = Channels.newChannel(state);
        long bytes = DeviceState.save(control, folder.resolve("state"), sink::write, LIMIT);
        assertEquals(bytes, state.size());
        assertFalse(Files.exists(folder.resolve("state")));
        return state.toByteArray();
    }

    private DemoQemu waiting(DemoMachine machine) throws IOException {
        return DemoQemu.target(machine, folder.resolve("vm" + ++hops));
    }

    @Test
    void writersAreAtWork() {
        long before = follower.lastTick().pages();
        assertTrue(follower.await(f -> f.lastTick().pages() > before + 256, LIMIT));
    }

    @Test
    void isNoChildOfThisProcess() {
        assertTrue(ProcessHandle.current().descendants()
                .noneMatch(child -> child.pid() == home.process().pid()));
    }

    @Test
    void aRunningGuestMayMove() throws IOException {
        QemuFacts facts = QemuProbe.read(control);
        assertEquals(List.of(), QemuInspector.source(control, facts, false, true));
        assertEquals(List.of(), OpenDescriptors.of(home.process().pid())
                .objections(false, facts.drives()));
        assertEquals(machine.memoryBytes(), facts.memoryBytes());
        assertEquals(new QemuFacts.Backend("ram", "memory-backend-file", machine.memoryBytes(),
                true, home.memoryFile().toString(), 4096), facts.memory().getFirst());
        assertEquals("tcg", facts.accelerator());
        assertTrue(facts.machine().startsWith("pc-i440fx-"), facts.machine());
        assertEquals("qemu64-x86_64-cpu", facts.cpu());
        assertTrue(facts.otherBlocks().containsKey("pc.bios"), facts.toString());
        assertFalse(facts.cpuFeatures().isEmpty());
        List<Objection> asTarget = QemuInspector.target(control, facts);
        assertTrue(asTarget.getFirst().remedy().contains("-S -incoming defer"),
                asTarget.toString());
    }

    @Test
    void aWaitingTargetFitsAndTheOneThatDiffersIsTold() throws IOException {
        QemuFacts source = QemuProbe.read(control);
        try (DemoQemu same = waiting(machine); QemuControl there = same.control()) {
            QemuFacts facts = QemuProbe.read(there);
            assertEquals(List.of(), QemuInspector.target(there, facts));
            assertEquals(List.of(), QemuFacts.compare(source.asMap(), facts.asMap()));
            assertFalse(QemuInspector.source(there, facts, false, true).isEmpty());
            DeviceState.arm(there, QemuControl.OF_STREAM);
            DeviceState.expect(there, folder.resolve("in"));
            assertTrue(QemuInspector.target(there, facts).toString().contains("already listens"));
        }
        DemoMachine other = new DemoMachine(machine.tools(), machine.load(),
                machine.memoryBytes() + (1 << 20), 2, DemoMachine.Memory.MEMFD,
                List.of());
        try (DemoQemu unlike = waiting(other); QemuControl there = unlike.control()) {
            QemuFacts facts = QemuProbe.read(there);
            assertEquals("memory-backend-memfd", facts.memory().getFirst().type());
            assertEquals(List.of("qemu.memory.ram", "qemu.smp", "qemu.vcpus"),
                    QemuFacts.compare(source.asMap(), facts.asMap()).stream()
                            .map(QemuFacts.Difference::what).toList());
        }
    }

    @Test
    void savedAndTakenBackTwice() throws IOException {
        QemuControl.Settings before = control.settings();
        control.prepareSource(before);
        for (int i = 0; i < 2; i++) {
            control.stop();
            byte[] state = save();
            // 300 KB without devices; with the RAM it would be more than 60 MB.
            assertTrue(state.length > 100_000 && state.length < 2_000_000, "" + state.length);
            assertEquals(RunState.POSTMIGRATE, control.status().state());
            assertTrue(control.cont().running());
            assertTrue(follower.awaitTicks(5, LIMIT));
        }
        control.restore(before);
        assertEquals(before, control.settings());
    }

    @Test
    void aSaveThatFailsCanBeTakenBack() throws IOException {
        control.prepareSource(control.settings());
        control.stop();
        IOException e = assertThrows(IOException.class,
                () -> DeviceState.save(control, folder.resolve("state"), chunk -> {
                    throw new IOException("disk full");
                }, LIMIT));
        assertEquals("disk full", e.getMessage());
        assertFalse(control.migration().active());
        assertTrue(control.cont().running());
    }

    @Test
    void theOperatorsSettingsAreNotInTheWay() throws IOException {
        control.setCapabilities(Map.of("multifd", true, "xbzrle", true));
        QemuControl.Settings before = control.settings();
        control.prepareSource(before);
        assertTrue(before.capabilities().get("multifd"));
        assertFalse(control.capabilities().get("multifd"));
        assertTrue(control.capabilities().get(QemuControl.IGNORE_SHARED));
        control.restore(before);
        assertEquals(before, control.settings());
        control.setCapabilities(Map.of("multifd", false, "xbzrle", false));
    }

    @Test
    void anotherMigrationIsAnObjection() throws IOException {
        control.prepareSource(control.settings());
        control.setCapabilities(Map.of(QemuControl.IGNORE_SHARED, false));
        control.qmp().execute("migrate-set-parameters",
                JsonNodeFactory.instance.objectNode().put("max-bandwidth", 4096));
        control.qmp().execute("migrate",
                JsonNodeFactory.instance.objectNode().put("uri", "exec:cat > /dev/null"));
        List<Objection> found = QemuInspector.source(control, QemuProbe.read(control), false,
                true);
        control.qmp().execute("migrate_cancel");
        assertTrue(found.toString().contains("migrate_cancel"), found.toString());
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (control.migration().active()) {
            assertTrue(System.nanoTime() - deadline < 0);
        }
    }

    @Test
    void aStateThatIsNoneEndsTheTarget() throws IOException {
        try (DemoQemu target = waiting(machine); QemuControl there = target.control()) {
            Path socket = folder.resolve("in");
            DeviceState.arm(there, QemuControl.OF_STREAM);
            DeviceState.expect(there, socket);
            QmpException e = assertThrows(QmpException.class, () -> DeviceState.load(there,
                    socket, ByteBuffer.wrap(new byte[100_000]), LIMIT));
            assertEquals(QmpException.Kind.CLOSED, e.kind(), e.getMessage());
            assertTrue(target.log().contains("Not a migration stream"), target.log());
        }
    }

    @Test
    void movesToAnotherQemuThatHasItsMemory() throws IOException {
        DemoQemu target = DemoQemu.start(machine, folder.resolve("vm" + ++hops),
                home.memoryFile(), true);
        boolean moved = false;
        try (QemuControl there = target.control()) {
            Path socket = folder.resolve("in");
            DeviceState.arm(there, QemuControl.OF_STREAM);
            DeviceState.expect(there, socket);
            control.prepareSource(control.settings());
            control.stop();
            byte[] state = save();
            control.quit();
            DeviceState.load(there, socket, ByteBuffer.wrap(state), LIMIT);
            assertTrue(there.cont().running());
            assertEquals(new QemuControl.Status(RunState.RUNNING, true), there.status());
            moved = true;
        } finally {
            if (!moved) {
                target.close();
            }
        }
        control.close();
        follower.close();
        // The memory has a new owner, and the console's end is wanted for the chain.
        Path kept = Files.copy(home.console(), folder.resolve("console" + hops));
        consoles.set(consoles.size() - 1, kept);
        home.keepMemoryFile();
        home.close();
        home = target;
        settle();
    }

    @Test
    void aTargetWithoutStopDoesNotStartByItself() throws IOException {
        // What -S at the start would have said is said by expect.
        try (DemoQemu target = waiting(machine); QemuControl there = target.control()) {
            assertTrue(there.cont().running());
            assertEquals(RunState.INMIGRATE, there.status().state());
            Path socket = folder.resolve("in");
            DeviceState.arm(there, QemuControl.OF_STREAM);
            DeviceState.expect(there, socket);
            control.prepareSource(control.settings());
            control.stop();
            byte[] state = save();
            // Into the very file that the target has mapped: a new one would not be seen.
            try (FileChannel from = FileChannel.open(home.memoryFile());
                    FileChannel to = FileChannel.open(target.memoryFile(),
                            StandardOpenOption.WRITE)) {
                long size = from.size();
                for (long at = 0; at < size; ) {
                    at += from.transferTo(at, size - at, to.position(at));
                }
            }
            DeviceState.load(there, socket, ByteBuffer.wrap(state), LIMIT);
            assertEquals(RunState.PAUSED, there.status().state());
            assertThrows(QmpException.class,
                    () -> DeviceState.expect(there, socket));
            there.quit();
        } finally {
            assertTrue(control.cont().running());
        }
    }
}
