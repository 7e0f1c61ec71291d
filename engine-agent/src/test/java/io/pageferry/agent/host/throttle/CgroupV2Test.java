package io.pageferry.agent.host.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.cgroup.Hierarchy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Quotas of cgroup v2, on a tree of files: where v1 holds the cpu controller, as on the machines
 * on which this was developed, v2 has none, and a mount cannot change that.
 */
class CgroupV2Test extends CpuLimiterContract {
    private static final long FIRST = FakeKernel.PID + 1;
    private static final long SECOND = FakeKernel.PID + 2;

    @TempDir
    Path folder;

    private FakeKernel kernel;
    private Hierarchy hierarchy;
    private Path scope;

    @BeforeEach
    void boot() throws IOException {
        Path fresh = Files.createTempDirectory(folder, "kernel");
        kernel = new FakeKernel(fresh);
        hierarchy = Hierarchy.find(throttled().proc(), Control.CONTROLLER).getFirst();
        kernel.make(kernel.mount().resolve("machine.slice"));
        kernel.write(kernel.mount().resolve("machine.slice/cgroup.subtree_control"), "+cpu");
        scope = kernel.mount().resolve("machine.slice/guest.scope");
        for (long thread : new long[] {FakeKernel.PID, FIRST, SECOND}) {
            kernel.thread(thread, scope);
        }
    }

    @Override
    CgroupCpuLimiter make() {
        return new CgroupCpuLimiter(throttled(), hierarchy, kernel);
    }

    @Override
    ThrottledProcess throttled() {
        return kernel.throttled();
    }

    @Override
    long first() {
        return FIRST;
    }

    @Override
    long second() {
        return SECOND;
    }

    @Override
    void kill() throws IOException {
        kernel.killAll();
    }

    @Override
    void assertNothingLeft() throws IOException {
        try (Stream<Path> all = Files.walk(kernel.mount())) {
            assertEquals(List.of(), all.filter(HeldGroup::isOne).toList());
        }
        assertEquals("", shared(), "the controller is still shared out");
    }

    private String shared() throws IOException {
        return Files.readString(scope.resolve("cgroup.subtree_control"));
    }

    private Path group(long thread) throws IOException {
        return hierarchy.groupOf(throttled().task(thread));
    }

    @Test
    void theMountIsFound() {
        assertEquals(new Hierarchy(2, kernel.mount(), "/", Control.CONTROLLER), hierarchy);
        assertTrue(make().obstacle(FIRST).isEmpty());
    }

    @Test
    void eachThreadIsInAThreadedGroupOfItsOwnInsideItsOld() throws IOException {
        limiter().apply(Set.of(FIRST, SECOND), 75);
        for (long thread : new long[] {FIRST, SECOND}) {
            assertEquals(scope, group(thread).getParent());
            assertEquals("threaded", Files.readString(group(thread).resolve("cgroup.type")));
            assertEquals("2500 10000", Files.readString(group(thread).resolve("cpu.max")));
        }
        assertEquals("cpu", shared());
        // The kernel takes no quota below a millisecond.
        limiter().apply(Set.of(FIRST, SECOND), 99);
        assertEquals("1000 100000", Files.readString(group(FIRST).resolve("cpu.max")));
        limiter().apply(Set.of(FIRST, SECOND), 0);
        assertEquals("max 100000", Files.readString(group(SECOND).resolve("cpu.max")));
    }

    @Test
    void whatWasSharedOutBeforeStaysSo() throws IOException {
        kernel.write(scope.resolve("cgroup.subtree_control"), "+cpu");
        limiter().apply(Set.of(FIRST), 50);
        limiter().release();
        assertEquals("cpu", shared());
        kernel.write(scope.resolve("cgroup.subtree_control"), "-cpu");
    }

    @Test
    void whoSharesItMeanwhileKeepsIt() throws IOException {
        limiter().apply(Set.of(FIRST), 50);
        Path other = scope.resolve("somebody");
        kernel.make(other);
        limiter().release();
        assertEquals("cpu", shared());
        kernel.remove(other);
        kernel.write(scope.resolve("cgroup.subtree_control"), "-cpu");
    }

    @Test
    void whoComesAfterADeadAgentUndoesIt() throws IOException {
        String home = place(FIRST);
        limiter().apply(Set.of(FIRST, SECOND), 90);
        CgroupCpuLimiter.undo(throttled(), hierarchy, kernel);
        assertNothingLeft();
        assertEquals(home, place(FIRST));
    }

    @Test
    void theNextAgentTakesOverWhatADeadOneLeft() throws IOException {
        limiter().apply(Set.of(FIRST, SECOND), 90);
        CgroupCpuLimiter next = make();
        next.apply(Set.of(FIRST), 50);
        assertEquals(scope, group(FIRST).getParent());
        CgroupCpuLimiter.undo(throttled(), hierarchy, kernel);
        assertNothingLeft();
    }

    @Test
    void withoutTheControllerItIsNotChosen() throws IOException {
        kernel.write(kernel.mount().resolve("machine.slice/cgroup.subtree_control"), "-cpu");
        String why = make().obstacle(FIRST).orElseThrow();
        assertTrue(why.contains("cpu controller is not in") && why.contains("guest.scope"), why);
    }

    @Test
    void whatCannotBeThreadedIsRefusedAndLeavesNothing() throws IOException {
        Files.writeString(scope.resolve("cgroup.controllers"), "cpu memory");
        kernel.write(scope.resolve("cgroup.subtree_control"), "+memory");
        CgroupCpuLimiter limiter = make();
        assertThrows(IOException.class, () -> limiter.apply(Set.of(FIRST), 50));
        limiter.release();
        kernel.write(scope.resolve("cgroup.subtree_control"), "-memory");
        assertNothingLeft();
        assertEquals(scope, group(FIRST));
    }
}
