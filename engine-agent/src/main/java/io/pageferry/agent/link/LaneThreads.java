package io.pageferry.agent.link;

import io.pageferry.core.precopy.RoundLane;
import java.util.List;
import java.util.function.IntFunction;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;

/** Drives lanes of a source, a thread for each, until it is closed. */
public final class LaneThreads implements AutoCloseable {
    private final List<AgentRunner> runners;

    private LaneThreads(List<AgentRunner> runners) {
        this.runners = runners;
    }

    /**
     * Gives a migration the threads that this host has processors for, beside its own.
     *
     * @param handOut gives away at most so many lanes of a migration that has not begun; that is
     *                closed after what is returned
     * @return the threads, which wait for the first round
     */
    public static LaneThreads start(IntFunction<List<RoundLane>> handOut) {
        List<RoundLane> lanes = handOut.apply(Runtime.getRuntime().availableProcessors() - 1);
        List<AgentRunner> runners = lanes.stream().map(lane -> new AgentRunner(
                AgentLoop.idleStrategy(), e -> { }, null, new Driver(lane))).toList();
        runners.forEach(runner -> AgentRunner.startOnThread(runner,
                work -> Thread.ofPlatform().daemon().unstarted(work)));
        return new LaneThreads(runners);
    }

    /** A lane keeps what it throws for the migration's own thread. */
    private record Driver(RoundLane lane) implements Agent {
        @Override
        public int doWork() {
            return lane.doWork();
        }

        /** {@return the name that the runner gives its thread} */
        @Override
        public String roleName() {
            return "pageferry-lane";
        }
    }

    /** Ends the threads, and waits for that. Idempotent. */
    @Override
    public void close() {
        CloseHelper.closeAll(runners);
    }
}
