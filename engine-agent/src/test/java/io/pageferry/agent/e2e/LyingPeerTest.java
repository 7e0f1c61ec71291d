package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.state.guard.ServiceProcess;
import io.pageferry.core.migration.Outcome.Result;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Sources that lie once, each at another step and in the right grammar, against one target process:
 * no wrong image is accepted, no guest has two owners, honest moves beside them get there, and
 * nothing is left. A sample; {@code -Dpageferry.lies=10000} has so many sessions.
 */
class LyingPeerTest {
    private static final int SAMPLE = 24;
    private static final int SESSIONS = Integer.getInteger("pageferry.lies", SAMPLE);
    private static final int AT_ONCE = SESSIONS > SAMPLE ? 32 : 8;

    /** So many frames a move of 4 MiB has, about; where it has fewer, nothing is lied. */
    private static final int FRAMES = 24;

    /** One honest move beside so many. */
    private static final int HONEST = 20;

    @TempDir
    private Path folder;

    private final AtomicInteger lies = new AtomicInteger();
    private final Map<Result, Integer> results = new EnumMap<>(Result.class);
    private ServiceProcess guards;
    private SoakProcess target;

    @BeforeEach
    void start() throws IOException {
        // One process guards the guests of all slots: each session at once would else cost a JVM.
        guards = ServiceProcess.start(folder);
        target = SoakProcess.start(folder, "unix:" + guards.socket());
        // A session whose source is gone keeps its slot for a while.
        target.resize(4 * AT_ONCE);
    }

    @AfterEach
    void end() {
        CloseHelper.closeAll(target, guards);
    }

    @Test
    void aLieEndsItsOwnSessionAlone() throws Exception {
        Random seeds = Draw.random();
        SoakFigures figures = new SoakFigures(target);
        try (ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE + 1)) {
            for (int part = 0; part < 4; part++) {
                List<Future<?>> sessions = new ArrayList<>();
                for (int i = 0; i < SESSIONS / 4; i++) {
                    long seed = seeds.nextLong();
                    boolean honest = i % HONEST == 0;
                    sessions.add(threads.submit(() -> {
                        session(seed, honest);
                        return null;
                    }));
                }
                for (Future<?> one : sessions) {
                    one.get();
                }
                figures.look((part + 1) * sessions.size() + " sessions");
            }
        }
        System.out.println(lies + " lies, " + results);
        figures.assertNoGrowth(0, "lies");
        assertTrue(lies.get() > SESSIONS / 2, lies + " lies");
    }

    private void session(long seed, boolean honest) throws IOException {
        SoakMove move = honest ? SoakMove.honest(seed) : SoakMove.liedFor(seed);
        if (honest) {
            AgentResult ended = move.runInto(target, target.port(), folder.resolve("source"));
            assertEquals(Result.COMPLETED, ended.outcome().result(), ended.report()::toString);
            move.assertRight(ended, target);
            return;
        }
        try (LyingCable cable = new LyingCable("127.0.0.1:" + target.port(), new Random(seed),
                FRAMES)) {
            AgentResult ended = move.runInto(target,
                    Caller.address(cable.address()).getPort(), folder.resolve("source"));
            synchronized (results) {
                results.merge(ended.outcome().result(), 1, Integer::sum);
            }
            if (!cable.lie().isEmpty()) {
                lies.incrementAndGet();
            }
            try {
                move.assertRight(ended, target);
            } catch (AssertionError e) {
                throw new AssertionError(cable.lie() + ": " + e.getMessage(), e);
            }
        }
    }
}
