package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.demo.ConsoleLog;
import io.pageferry.agent.demo.DemoMachine;
import io.pageferry.agent.demo.DemoQemu;
import io.pageferry.agent.demo.TestMachines;
import io.pageferry.agent.guest.qemu.qmp.QemuControl;
import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What is left of a QEMU guest's throttle whichever way the move ends: nothing. */
@Sampled
@Tag("timing")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ThrottledQemuTest {
    @TempDir
    static Path folder;

    private Rig rig;
    private MovingGuest home;
    private DemoQemu waiting;

    @BeforeAll
    void boot() throws IOException {
        E2e.needTracking();
        rig = new Rig(folder);
        home = MovingGuest.boot(rig, new DemoMachine(TestMachines.tools(), E2e.CALM, E2e.MEMORY, 2,
                DemoMachine.Memory.FILE, List.of()));
    }

    @AfterAll
    void end() throws IOException {
        if (rig != null) {
            rig.close();
        }
    }

    @BeforeEach
    void another() throws IOException {
        waiting = rig.waiting(home.machine());
        home.remember();
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        assertEquals(List.of(), groups(home.qemu(), waiting));
        rig.end(waiting);
    }

    /** Groups that an agent made for threads of these QEMUs; the name begins with whose. */
    private static List<Path> groups(DemoQemu... qemus) throws IOException {
        List<String> names = Stream.of(qemus)
                .map(qemu -> "pageferry-" + qemu.process().pid() + "-").toList();
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(Path.of("/sys/fs/cgroup"), new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path group, BasicFileAttributes what) {
                if (names.stream().anyMatch(group.getFileName().toString()::startsWith)) {
                    found.add(group);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException gone) {
                // Others make and remove groups meanwhile.
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }

    /** Where each thread of a process is, and who traces it. */
    private static Map<String, String> places(long pid) throws IOException {
        Map<String, String> places = new TreeMap<>();
        try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
            for (Path task : tasks.toList()) {
                places.put(task.getFileName().toString(), Files.readString(task.resolve("cgroup"))
                        + Files.readAllLines(task.resolve("status")).stream()
                                .filter(line -> line.startsWith("TracerPid")).toList());
            }
        }
        return places;
    }

    private static Set<Long> vcpus(DemoQemu qemu) throws IOException {
        try (QemuControl control = qemu.control()) {
            return control.vcpuThreads();
        }
    }

    @Test
    void aKilledAgentsThrottleIsUndone() throws IOException {
        Set<Long> vcpus = vcpus(home.qemu());
        Map<String, String> before = places(home.qemu().process().pid());
        Agent target = rig.receive(waiting, "");
        Agent source = rig.migrate(home.qemu(), target, "round 0", "--throttle", "80%");
        source.awaitHold("round 0");
        Poll.until(() -> held(vcpus).equals(vcpus), () -> "nobody is held");
        // The thread that answers the monitor is not among them.
        assertEquals(before.get(Long.toString(home.qemu().process().pid())),
                places(home.qemu().process().pid())
                        .get(Long.toString(home.qemu().process().pid())));
        source.kill();
        E2e.assertEnds(4, "failed", target);
        rolledBack(before);
    }

    /** Those of some threads that are in a group of ours, or stopped by an agent. */
    private Set<Long> held(Set<Long> threads) throws IOException {
        Map<String, String> places = places(home.qemu().process().pid());
        return threads.stream().filter(thread -> {
            String place = places.getOrDefault(Long.toString(thread), "");
            return place.contains("pageferry-") || !place.contains("TracerPid:\t0");
        }).collect(java.util.stream.Collectors.toSet());
    }

    @Test
    void aCancelledMovesThrottleIsUndone() throws IOException {
        Set<Long> vcpus = vcpus(home.qemu());
        Map<String, String> before = places(home.qemu().process().pid());
        Agent target = rig.receive(waiting, "");
        Agent source = rig.migrate(home.qemu(), target, "", "--throttle", "60%",
                "--bandwidth", "64Mbit/s");
        target.awaitState("receiving");
        target.signal(Signal.STOP);
        Poll.until(() -> held(vcpus).equals(vcpus), () -> "nobody is held");
        source.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", source);
        assertNotEquals(0, source.report().at("/guestSlowdown/maxThrottlePercent").asInt());
        target.signal(Signal.CONT);
        E2e.assertEnds(4, "failed", target);
        rolledBack(before);
    }

    @Test
    void aGuestThatDiesWithItsAgentLeavesNoGroup() throws IOException {
        // One that still boots can be moved as well.
        DemoQemu other = rig.booting(E2e.machine(E2e.CALM));
        DemoQemu next = rig.waiting(other.machine());
        Agent target = rig.receive(next, "");
        Agent source = rig.migrate(other, target, "round 0", "--throttle", "50%");
        source.awaitHold("round 0");
        source.signal(Signal.STOP);
        other.process().kill();
        source.kill();
        E2e.assertEnds(4, "failed", target);
        rig.awaitNothingLeft();
        assertEquals(List.of(), groups(other));
        rig.end(other);
        rig.end(next);
    }

    @Test
    void aQuotaOfWritesIsRefused() throws IOException {
        Agent source = rig.start("", List.of("migrate", Rig.uri(home.qemu()), "--to",
                "127.0.0.1:9", "--policy", "kvm-classic", "--throttle", "auto"));
        E2e.assertEnds(3, "refused", source);
        assertTrue(source.report().at("/error/reason").asText().contains("quota"),
                source::toString);
        home.livesOn();
        home.isAsItWas();
    }

    private void rolledBack(Map<String, String> before) throws IOException {
        rig.awaitNothingLeft();
        assertEquals(List.of(), groups(home.qemu()));
        Map<String, String> after = places(home.qemu().process().pid());
        // Threads that wait for disks or clients come and go; each that stayed is where it was.
        after.keySet().retainAll(before.keySet());
        after.forEach((thread, place) -> assertEquals(before.get(thread), place));
        home.livesOn();
        home.isAsItWas();
        assertEquals(0, ConsoleLog.read(waiting.console()).lastTick());
    }
}
