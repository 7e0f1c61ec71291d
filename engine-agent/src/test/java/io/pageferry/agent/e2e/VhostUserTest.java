package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoMachine.Memory;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.qemu.check.QemuFacts;
import io.pageferry.agent.guest.qemu.check.QemuProbe;
import io.pageferry.agent.guest.qemu.check.VhostUserDevices;
import io.pageferry.agent.guest.qemu.memory.MemoryTracking;
import io.pageferry.agent.guest.qemu.memory.QemuMemory;
import io.pageferry.agent.guest.qemu.memory.TrackedBackends;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.userfault.RemoteUserfault;
import io.pageferry.agent.host.linux.userfault.UserfaultTracker;
import io.pageferry.agent.host.memory.RegionMemory;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.dirty.TrackerException;
import io.pageferry.core.migration.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A guest whose disk is another process, which writes what it reads into the guest's memory. The
 * guest reads it again and again, never from its own cache. It rests in between: a
 * qemu-storage-daemon 7.2 that is told to stop does not finish what is under way.
 */
@Sampled
class VhostUserTest {
    private static final int BYTES = 8 << 20;
    private static final int HELD_MILLIS = 200;
    private static final int REST_SECONDS = 4;
    private static final String CACHED = "cache.direct=off";
    private static final Pattern PASS = Pattern.compile("disk vda pass=(\\d+) bad=(\\d+)");

    @TempDir
    Path folder;

    private Rig rig;
    private DiskGuest guest;
    private Path disk;
    private StorageDaemon daemon;
    private MovingGuest home;

    @BeforeEach
    void make() throws IOException {
        rig = new Rig(folder);
        rig.openToAll();
        guest = DiskGuest.make(folder, "guest-reads.sh", "rest=" + REST_SECONDS);
        byte[] content = new byte[BYTES];
        Draw.random().nextBytes(content);
        disk = Files.write(folder.resolve("content"), content);
    }

    private void boot(Path file, String cache) throws IOException {
        daemon = StorageDaemon.start(file, cache, folder.resolve("source.vhost"));
        home = MovingGuest.boot(rig, machine(daemon));
        Poll.until(() -> passes() > 0, () -> "it does not read its disk");
    }

    @AfterEach
    void end() throws IOException {
        rig.close();
        if (daemon != null) {
            daemon.close();
        }
    }

    /** Where a kernel clears each page that it hands out, QEMU's process has written it too. */
    private DemoMachine machine(StorageDaemon serves) {
        List<String> all = new ArrayList<>(serves.disk());
        all.addAll(TestMachines.kernel(E2e.CALM, "init_on_alloc=0"));
        return guest.machine(Memory.MEMFD, all);
    }

    private long passes() throws IOException {
        long passes = 0;
        Matcher line = PASS.matcher(home.console());
        while (line.find()) {
            passes = Long.parseLong(line.group(1));
            assertEquals("0", line.group(2), "wrong bytes were read: " + line.group());
        }
        return passes;
    }

    /** Returns when it read all of its disk once more, and leaves it alone for some seconds. */
    private void awaitRest() throws IOException {
        long before = passes();
        Poll.until(() -> passes() > before, () -> "it reads no more");
    }

    @Test
    void whatTheBackendWroteArrivesToo() throws IOException {
        boot(disk, CACHED);
        Agent check = rig.command(List.of("check", Rig.uri(home.qemu())));
        assertEquals(0, check.exit(), check::toString);
        assertTrue(check.toString().contains("vhost-user backend " + daemon.pid()
                + " (qemu-storage-daemon) is tracked too"), check::toString);
        try (StorageDaemon there = StorageDaemon.start(disk, CACHED,
                folder.resolve("target.vhost"))) {
            DemoQemu next = rig.waiting(machine(there));
            Agent target = rig.receive(next, "");
            Agent source = rig.migrate(home.qemu(), target, "switchover");
            source.awaitHold("switchover");
            awaitRest();
            source.goOn();
            E2e.assertMoved(source, target);
            home.movedTo(next);
            awaitRest();
            home.livesOn();
            rig.end(home.qemu());
        }
    }

    /** The rule itself, and that a tracker which sees QEMU alone is found out. */
    @Test
    void withQemuAlonePagesAreLost() throws IOException, TrackerException {
        boot(disk, CACHED);
        assertTrue(differing(true) > 0, "nothing was written by the backend");
        assertEquals(0, differing(false));
    }

    /** Follows the guest while it reads, pauses it, and counts pages that are not as they are. */
    private long differing(boolean qemuAlone) throws IOException, TrackerException {
        long pid = home.qemu().process().pid();
        try (QemuControl control = home.qemu().control()) {
            QemuFacts facts = QemuProbe.read(control);
            QemuMemory memory = QemuMemory.find(pid, control, facts.memory());
            RegionMemory regions = memory.map(false);
            GuestSetup setup = new GuestSetup(TrackerChoice.AUTO, false,
                    one -> RemoteUserfault.open(one).release());
            TrackedBackends backends = memory.backends(VhostUserDevices.of(control, facts));
            assertEquals(List.of("vhost-user backend " + daemon.pid()
                    + " (qemu-storage-daemon)"), backends.names());
            MemoryTracking.Writers writers =
                    new MemoryTracking.Writers(backends, Optional.empty());
            DirtyTracker tracker = qemuAlone ? UserfaultTracker.ofProcess(pid,
                    () -> RemoteUserfault.open(pid).release(), memory.ranges()).within(regions)
                    : MemoryTracking.of(pid, setup, memory, regions, writers).tracker();
            try (FollowedCopy copy = new FollowedCopy(regions, tracker)) {
                awaitRest();
                copy.follow();
                awaitRest();
                control.stop();
                long differing = copy.differing();
                backends.requireStill(regions.regions());
                assertTrue(control.cont().running());
                awaitRest();
                if (!qemuAlone) {
                    assertTrue(assertThrows(GuestException.class,
                            () -> backends.requireStill(regions.regions())).getMessage()
                            .contains("while the guest stood still"));
                }
                return differing;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aBackendThatEndsMeanwhileEndsTheMove(boolean comesAgain) throws IOException {
        boot(disk, CACHED);
        endsMove("round 0", () -> {
            daemon.close();
            if (comesAgain) {
                daemon = StorageDaemon.start(disk, CACHED, daemon.socket());
                Poll.until(() -> ProcessMaps.of(daemon.pid()).stream().anyMatch(
                        one -> one.path().startsWith("/memfd:memory-backend")),
                        () -> "QEMU does not connect again");
            }
        }, "ended, or no longer maps the guest's RAM while the guest moved");
        home.livesOn();
    }

    /** What qemu-storage-daemon 7.2 does: the guest would wait at the target for ever. */
    @Test
    void oneThatDoesNotFinishWhatIsUnderWayEndsTheMove() throws IOException {
        try (SlowDisk slow = SlowDisk.make(folder, Draw.random())) {
            try {
                boot(Path.of(slow.device()), CACHED);
                endsMove("switchover", () -> {
                    awaitRest();
                    slow.holdUp(daemon.mark(), HELD_MILLIS);
                    DiskGuest.run("blockdev", "--flushbufs", slow.device());
                    Poll.until(this::isHeldUp, () -> "it does not read its disk");
                }, "under way although the guest stands still");
                home.livesOn();
            } finally {
                end();
            }
        }
    }

    /** Whether one of its threads waits for the disk. */
    private boolean isHeldUp() throws IOException {
        try (Stream<Path> threads = Files.list(Path.of("/proc/" + daemon.pid() + "/task"))) {
            return threads.anyMatch(one -> Processes.stateIn(one.resolve("stat")) == 'D');
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"native", "io_uring"})
    void oneThatPinsPagesMovesByScanAlone(String aio) throws IOException {
        boot(disk, "cache.direct=on,aio=" + aio);
        Agent check = rig.command(List.of("check", Rig.uri(home.qemu())));
        assertEquals(3, check.exit(), check::toString);
        assertTrue(check.toString().contains("vhost-user backend " + daemon.pid()
                + " (qemu-storage-daemon) has "), check::toString);
        assertTrue(check.toString().contains("cache.direct=off,aio=threads"), check::toString);
        home.livesOn();
        home.isAsItWas();
        movesByScan("cache.direct=on,aio=" + aio);
    }

    /**
     * Contents are compared when its rings have stopped with nothing under way: whatever was
     * pinned is filled by then, in whichever round it was pinned.
     */
    private void movesByScan(String cache) throws IOException {
        try (StorageDaemon there = StorageDaemon.start(disk, cache,
                folder.resolve("target.vhost"))) {
            DemoQemu next = rig.waiting(machine(there));
            Agent target = rig.receive(next, "");
            Agent source = rig.migrate(home.qemu(), target, "switchover", "--tracker", "scan");
            source.awaitHold("switchover");
            awaitRest();
            source.goOn();
            E2e.assertMoved(source, target);
            home.movedTo(next);
            awaitRest();
            home.livesOn();
            rig.end(home.qemu());
        }
    }

    private interface Change {
        void run() throws IOException;
    }

    /** The source holds at a state, something happens, and the guest stays where it is. */
    private void endsMove(String hold, Change change, String words) throws IOException {
        try (StorageDaemon there = StorageDaemon.start(disk, CACHED,
                folder.resolve("target.vhost"))) {
            DemoQemu next = rig.waiting(machine(there));
            Agent target = rig.receive(next, "");
            Agent source = rig.migrate(home.qemu(), target, hold);
            source.awaitHold(hold);
            change.run();
            source.goOn();
            E2e.assertEnds(4, "failed", source);
            assertTrue(source.report().at("/error/reason").asText().contains(words),
                    source::toString);
            E2e.assertEnds(4, "failed", target);
            rig.end(next);
        }
    }
}
