package io.pageferry.agent.host.linux.userfault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Requirements;
import io.pageferry.agent.host.linux.SharedMemory;
import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.StrangerProgram;
import io.pageferry.agent.state.guard.GuardProcess;
import io.pageferry.core.dirty.TrackerException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A fork of a tracked process is heard, and waits until it is. */
class ForkTest {
    private static final long SIZE = 1 << 20;

    @BeforeAll
    static void needed() {
        Requirements.foreignTracking();
    }

    @Test
    void aForkWaitsUntilItIsHeard() throws IOException, TrackerException {
        withWriter((program, memory, tracker) -> {
            tracker.start();
            assertFalse(tracker.hasForked());
            StrangerProgram.set(memory, StrangerProgram.COMMAND, StrangerProgram.FORK);
            Stranger.await("a fork to be told", () -> hasForked(tracker));
            // It was not done before it was heard, and goes on now.
            Stranger.await("the child to end", () -> StrangerProgram.get(memory,
                    StrangerProgram.STATE) == StrangerProgram.FORK);
            assertTrue(hasForked(tracker));
        });
    }

    @Test
    void whoStopsToTrackLetsAForkGo() throws IOException, TrackerException {
        withWriter((program, memory, tracker) -> {
            tracker.start();
            StrangerProgram.set(memory, StrangerProgram.COMMAND, StrangerProgram.FORK);
            // Nobody asks: only the end of the tracking lets it go.
            assertEquals(StrangerProgram.PAUSE,
                    StrangerProgram.get(memory, StrangerProgram.STATE));
            tracker.close();
            Stranger.await("the fork to go on", () -> StrangerProgram.get(memory,
                    StrangerProgram.STATE) == StrangerProgram.FORK);
        });
    }

    /** Here the agent is this test, which does not ask, as one that was stopped. */
    @Test
    void aGuardLetsAForkGoThatItsAgentDoesNotRead() throws IOException, TrackerException {
        try (GuardProcess guard = GuardProcess.start()) {
            withWriter(guard::userfaultOfForking, (program, memory, tracker) -> {
                tracker.start();
                assertFalse(guard.letForkGo());
                StrangerProgram.set(memory, StrangerProgram.COMMAND, StrangerProgram.FORK);
                Stranger.await("the fork to go on", () -> StrangerProgram.get(memory,
                        StrangerProgram.STATE) == StrangerProgram.FORK);
                assertTrue(guard.letForkGo());
                assertTrue(guard.letForkGo(), "it is not forgotten");
            });
        }
    }

    @Test
    void aGuardLeavesAForkToAnAgentThatReads() throws IOException, TrackerException {
        try (GuardProcess guard = GuardProcess.start()) {
            withWriter(guard::userfaultOfForking, (program, memory, tracker) -> {
                tracker.start();
                StrangerProgram.set(memory, StrangerProgram.COMMAND, StrangerProgram.FORK);
                Stranger.await("a fork to be told", () -> hasForked(tracker));
                assertFalse(guard.letForkGo());
            });
        }
    }

    /** Gives a userfaultfd of a process. */
    private interface Source {
        int of(long pid) throws IOException;
    }

    private interface Trial {
        void run(Stranger program, MemorySegment memory, UserfaultTracker tracker)
                throws IOException, TrackerException;
    }

    private static void withWriter(Trial trial) throws IOException, TrackerException {
        withWriter(pid -> RemoteUserfault.open(pid).release(), trial);
    }

    private static void withWriter(Source source, Trial trial)
            throws IOException, TrackerException {
        try (SharedMemory shared = SharedMemory.create("forking", SIZE);
                Arena arena = Arena.ofConfined();
                Stranger program = Stranger.startProgram("write",
                        shared.procPath().toString(), "1")) {
            MemorySegment memory = shared.map(0, SIZE, arena);
            StrangerProgram.set(memory, StrangerProgram.COMMAND, StrangerProgram.PAUSE);
            Stranger.await("the program to obey", () -> StrangerProgram.get(memory,
                    StrangerProgram.STATE) == StrangerProgram.PAUSE);
            long at = ProcessMaps.of(program.pid()).stream().filter(one ->
                    one.path().startsWith("/memfd:forking")).findFirst().orElseThrow().start();
            try (UserfaultTracker tracker = UserfaultTracker.ofForking(program.pid(),
                    () -> source.of(program.pid()),
                    List.of(new UserfaultTracker.Range(at, SIZE, 0)))) {
                trial.run(program, memory, tracker);
            }
        }
    }

    private static boolean hasForked(UserfaultTracker tracker) {
        try {
            return tracker.hasForked();
        } catch (LinuxException e) {
            throw new AssertionError(e);
        }
    }
}
