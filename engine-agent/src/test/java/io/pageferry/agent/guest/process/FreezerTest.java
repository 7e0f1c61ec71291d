package io.pageferry.agent.guest.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.cgroup.Hierarchy;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Stranger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every way to make a tree of processes stand still that this machine has. */
class FreezerTest {
    /** Two children that write without end, each by children of its own. */
    private static final String FAMILY = "for f in a b; do (while :; do echo x >> \"$0.$f\";"
            + " $(true); done) & done; wait";

    @TempDir
    Path folder;

    private Stranger stranger;
    private PausedProcess process;
    private Map<Hierarchy, Path> home;
    private final Map<Long, Long> family = new HashMap<>();
    private final List<Freezer> used = new ArrayList<>();

    /** A means. */
    enum Means { V2, V1, STOP }

    @BeforeEach
    void begin() throws IOException {
        stranger = Stranger.start("sh", "-c", FAMILY, folder.resolve("count").toString());
        process = new PausedProcess(stranger.pid(),
                Processes.startTicks(stranger.pid()).orElseThrow(), true);
        Stranger.await("both children to write", () -> size("a") > 0 && size("b") > 0);
        home = groups();
        family.putAll(process.identified(process.members()));
    }

    @AfterEach
    void end() throws IOException {
        family.putAll(process.identified(process.members()));
        for (Freezer one : used) {
            family.putAll(one.everybody());
            one.thaw();
        }
        PausedProcess.signal(family, Processes.Signal.KILL);
        stranger.close();
        PausedProcess.awaitEnd(family);
        for (Freezer one : used) {
            one.leave();
        }
    }

    @ParameterizedTest
    @EnumSource(Means.class)
    void nobodyDoesAnotherStep(Means means) throws IOException {
        Freezer freezer = freezer(means);
        freezer.freeze(() -> { });
        assertTrue(freezer.holds());
        assertTrue(Freezer.standsStill(process));
        long a = size("a");
        long b = size("b");
        // Whoever comes after a dead agent has nothing but what was told.
        Map<String, String> recoveryAddress = new HashMap<>();
        freezer.putInto(recoveryAddress);
        Freezer later = Freezer.of(process, recoveryAddress);
        assertTrue(later.holds());
        assertEquals(a, size("a"));
        assertEquals(b, size("b"));
        later.thaw();
        Stranger.await("both to go on", () -> size("a") > a && size("b") > b);
        later.leave();
        assertFalse(Freezer.standsStill(process));
        assertEquals(home, groups());
        assertEquals(List.of(), made());
        later.thaw();
        later.leave();
    }

    @ParameterizedTest
    @EnumSource(Means.class)
    void nobodyIsLeftAfterItsEnd(Means means) throws IOException {
        Freezer freezer = freezer(means);
        freezer.freeze(() -> { });
        long a = size("a");
        Set<Long> members = process.members();
        assertTrue(members.size() >= 3, members::toString);
        freezer.kill();
        assertTrue(members.stream().noneMatch(Processes::isAlive), members::toString);
        assertEquals(a, size("a"));
        assertEquals(List.of(), made());
    }

    @ParameterizedTest
    @EnumSource(Means.class)
    void orphansOfTheFreezeGoOnToo(Means means) throws IOException {
        Freezer freezer = freezer(means);
        freezer.freeze(() -> { });
        long a = size("a");
        long b = size("b");
        killFirst(means);
        freezer.thaw();
        Stranger.await("both orphans to go on", () -> size("a") > a && size("b") > b);
        freezer.leave();
        assertEquals(List.of(), made());
    }

    @ParameterizedTest
    @EnumSource(Means.class)
    void orphansOfTheFreezeEndToo(Means means) throws IOException {
        Freezer freezer = freezer(means);
        freezer.freeze(() -> { });
        Set<Long> members = process.members();
        long a = size("a");
        killFirst(means);
        freezer.kill();
        assertTrue(members.stream().noneMatch(Processes::isAlive), members::toString);
        assertEquals(a, size("a"));
        assertTrue(freezer.isOver());
    }

    /** A frozen process of version 1 ends no sooner than it is thawed. */
    private void killFirst(Means means) throws IOException {
        stranger.signal(Processes.Signal.KILL);
        if (means != Means.V1) {
            Stranger.await("the first to end", () -> !process.isAlive());
        }
    }

    @ParameterizedTest
    @EnumSource(value = Means.class, names = {"V2", "V1"})
    void anotherMoveDoesNotLetItGo(Means means) throws IOException {
        Freezer freezer = freezer(means);
        Freezer other = freezer(means);
        freezer.freeze(() -> { });
        List<Path> made = made();
        other.thaw();
        other.leave();
        Map<String, String> recoveryAddress = new HashMap<>();
        other.putInto(recoveryAddress);
        Freezer later = Freezer.of(process, recoveryAddress);
        later.thaw();
        later.leave();
        assertTrue(freezer.holds());
        assertEquals(made, made());
        assertEquals(1, made.size());
        assertTrue(GroupFreezer.frozenByMove(process).isPresent());
        freezer.thaw();
        assertTrue(GroupFreezer.frozenByMove(process).isEmpty());
    }

    @Test
    void aGroupOfItsOwnIsFrozenAsItIs() throws IOException {
        Hierarchy hierarchy = hierarchy(2);
        Path own = Files.createDirectory(hierarchy.groupOf(PausedProcess.proc(process.pid()))
                .resolve("own-of-a-test-" + process.pid()));
        try {
            while (!GroupFreezer.of(process, hierarchy).own().equals(Optional.of(own))) {
                for (long member : process.members()) {
                    move(member, own);
                }
            }
            GroupFreezer freezer = GroupFreezer.of(process, hierarchy);
            assertEquals(Optional.of(own), freezer.own());
            freezer.freeze(() -> { });
            long a = size("a");
            assertTrue(freezer.holds());
            assertTrue(freezer.byHand().contains(own.toString()), freezer::byHand);
            assertEquals(List.of(), made());
            assertEquals(a, size("a"));
            freezer.thaw();
            freezer.leave();
            Stranger.await("it to go on", () -> size("a") > a);
            assertEquals(own, hierarchy.groupOf(PausedProcess.proc(process.pid())));
        } finally {
            PausedProcess.signal(process.identified(process.members()),
                    Processes.Signal.KILL);
            Stranger.await("the group to be empty", () -> delete(own));
        }
    }

    /** Such a group holds threads, and has no list of processes. */
    @Test
    void whoIsInAThreadedGroupIsFrozenByOtherMeans() throws IOException {
        Hierarchy hierarchy = hierarchy(2);
        Path threaded = Files.createDirectory(hierarchy.groupOf(PausedProcess.proc(
                process.pid())).resolve("threads-of-a-test-" + process.pid()));
        try {
            Files.writeString(threaded.resolve("cgroup.type"), "threaded",
                    StandardOpenOption.WRITE);
            move(process.pid(), threaded);
            assertEquals(threaded, hierarchy.groupOf(PausedProcess.proc(process.pid())));
            assertTrue(GroupFreezer.of(process, hierarchy).obstacle().isPresent());
            Freezer freezer = Freezer.choose(process);
            used.add(freezer);
            freezer.freeze(() -> { });
            assertTrue(Freezer.standsStill(process));
            freezer.thaw();
            freezer.leave();
        } finally {
            PausedProcess.signal(process.identified(process.members()),
                    Processes.Signal.KILL);
            Stranger.await("the group to be empty", () -> delete(threaded));
        }
    }

    private static boolean delete(Path group) {
        try {
            return Files.deleteIfExists(group) || true;
        } catch (IOException e) {
            return false;
        }
    }

    private static void move(long member, Path group) {
        try {
            Files.writeString(group.resolve("cgroup.procs"), Long.toString(member),
                    StandardOpenOption.WRITE);
        } catch (IOException e) {
            assertFalse(Processes.isAlive(member));
        }
    }

    private Freezer freezer(Means means) throws IOException {
        if (means == Means.STOP) {
            used.add(new StopFreezer(process, ""));
            return used.getLast();
        }
        GroupFreezer groups = GroupFreezer.of(process, hierarchy(means == Means.V2 ? 2 : 1));
        Assumptions.assumeTrue(groups.obstacle().isEmpty(), "cgroup v1 or v2 freezer: "
                + groups.obstacle());
        used.add(groups);
        return groups;
    }

    private static Hierarchy hierarchy(int version) throws IOException {
        List<Hierarchy> found = hierarchies().stream()
                .filter(one -> one.version() == version).toList();
        Assumptions.assumeFalse(found.isEmpty(),
                "cgroup v1 or v2 is missing here: no freezer of v" + version);
        return found.getFirst();
    }

    private static List<Hierarchy> hierarchies() throws IOException {
        return Hierarchy.find(Path.of("/proc"), GroupFreezer.CONTROLLER);
    }

    private Map<Hierarchy, Path> groups() throws IOException {
        Map<Hierarchy, Path> groups = new HashMap<>();
        for (Hierarchy one : hierarchies()) {
            groups.put(one, one.groupOf(PausedProcess.proc(process.pid())));
        }
        return groups;
    }

    /** Groups made for this process that are still there. */
    private List<Path> made() throws IOException {
        List<Path> found = new ArrayList<>();
        for (Hierarchy one : hierarchies()) {
            try (var all = Files.walk(one.mount())) {
                found.addAll(all.filter(path -> path.getFileName().toString()
                        .startsWith("pageferry-frozen-" + process.pid() + "-")).toList());
            } catch (java.io.UncheckedIOException e) {
                // Other tests make and remove groups meanwhile: look again.
                return made();
            }
        }
        return found;
    }

    private long size(String child) {
        return folder.resolve("count." + child).toFile().length();
    }
}
