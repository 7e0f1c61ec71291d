package io.pageferry.agent.host.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.cgroup.CgroupFiles;
import io.pageferry.agent.host.cgroup.Hierarchy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** Quotas of cgroup v1, on real threads. */
@Isolated
class CgroupV1Test extends RealCpuLimiterContract {
    private static Hierarchy hierarchy;

    /** Of the groups of the last process, which may have ended. */
    private String prefix;

    @BeforeAll
    static void needMount() throws IOException {
        List<Hierarchy> found = Hierarchy.find(Path.of("/proc"), Control.CONTROLLER).stream()
                .filter(one -> one.version() == 1).toList();
        Assumptions.assumeFalse(found.isEmpty(),
                "cgroup v1 with the cpu controller is not mounted here");
        hierarchy = found.getFirst();
        Path own = hierarchy.groupOf(Path.of("/proc/thread-self"));
        Assumptions.assumeTrue(Files.isWritable(own), "cgroup v1 cannot be written: " + own);
    }

    @Override
    CgroupCpuLimiter make() throws IOException {
        prefix = HeldGroup.prefix(throttled().pid(), throttled().startTicks());
        return new CgroupCpuLimiter(throttled(), hierarchy, CgroupFiles.KERNEL);
    }

    @Override
    void assertNothingLeft() throws IOException {
        try (Stream<Path> all = Files.walk(hierarchy.mount())) {
            assertEquals(List.of(), all.filter(path -> path.getFileName().toString()
                    .startsWith(prefix)).toList());
        }
    }

    private Path group(long thread) throws IOException {
        return hierarchy.groupOf(throttled().task(thread));
    }

    @Test
    void itCanBeChosen() throws IOException {
        assertTrue(make().obstacle(first()).isEmpty());
    }

    @Test
    void whoComesAfterADeadAgentUndoesIt() throws IOException {
        String home = place(first());
        limiter().apply(Set.of(first(), second()), 90);
        assertFalse(home.equals(place(first())));
        CgroupCpuLimiter.undo(throttled(), hierarchy, CgroupFiles.KERNEL);
        assertNothingLeft();
        assertEquals(home, place(first()));
        CgroupCpuLimiter.undo(throttled(), hierarchy, CgroupFiles.KERNEL);
    }

    @Test
    void aProcessThatEndedIsUndoneToo() throws IOException {
        limiter().apply(Set.of(first(), second()), 90);
        ThrottledProcess gone = throttled();
        kill();
        CgroupCpuLimiter.undo(gone, hierarchy, CgroupFiles.KERNEL);
        assertNothingLeft();
    }

    @Test
    void theNextAgentTakesOverWhatADeadOneLeft() throws IOException {
        Path home = group(first());
        limiter().apply(Set.of(first()), 90);
        CgroupCpuLimiter next = make();
        next.apply(Set.of(first()), 50);
        assertEquals(home, group(first()).getParent());
        assertEquals("5000", Files.readString(group(first()).resolve("cpu.cfs_quota_us")).strip());
        next.release();
        assertEquals(home, group(first()));
    }

    @Test
    void aThreadThatAHeldOneStartedIsNotKept() throws IOException {
        Path home = group(second());
        limiter().apply(Set.of(first()), 50);
        // A new thread begins in the group of the one that made it.
        Files.writeString(group(first()).resolve("tasks"), Long.toString(second()));
        assertFalse(home.equals(group(second())));
        limiter().apply(Set.of(first()), 60);
        assertEquals(home, group(second()));
    }

    @Test
    void aTighterGroupAroundItStaysTighter() throws IOException {
        Path home = group(first());
        Path tight = Files.createDirectory(hierarchy.mount().resolve(
                "pf-test-" + throttled().pid()));
        try {
            Files.writeString(tight.resolve("cpu.cfs_period_us"), "100000");
            Files.writeString(tight.resolve("cpu.cfs_quota_us"), "50000");
            Files.writeString(tight.resolve("tasks"), Long.toString(first()));
            limiter().apply(Set.of(first()), 50);
            assertEquals(tight, group(first()).getParent());
            assertEquals("2500",
                    Files.readString(group(first()).resolve("cpu.cfs_quota_us")).strip());
            limiter().release();
            assertEquals(tight, group(first()));
        } finally {
            Files.writeString(home.resolve("tasks"), Long.toString(first()));
            Files.delete(tight);
        }
    }
}
