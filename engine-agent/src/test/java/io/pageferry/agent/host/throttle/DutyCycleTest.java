package io.pageferry.agent.host.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** The duty cycle, on real threads. */
@Isolated
class DutyCycleTest extends RealCpuLimiterContract {
    @BeforeAll
    static void needTracing() {
        List<KernelProbe.Step> steps = KernelProbe.run();
        Assumptions.assumeTrue(KernelProbe.canTrackOthers(steps), KernelProbe.summary(steps));
    }

    @Override
    CpuLimiter make() {
        return new DutyCycle();
    }

    @Override
    void assertNothingLeft() throws IOException {
        if (Files.exists(throttled().task(first()))) {
            assertEquals(0, spinner().tracer(first()));
            assertEquals(0, spinner().tracer(second()));
        }
        assertTrue(Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("throttle")));
    }

    @Test
    void whoMayNotTraceIsTold() throws IOException {
        // The kernel lets nobody trace itself.
        Set<Long> own = Set.of(ProcessHandle.current().pid());
        DutyCycle limiter = new DutyCycle();
        Stranger.await("refusal", () -> {
            try {
                limiter.apply(own, 50);
                return false;
            } catch (IOException e) {
                return e.getMessage().contains("PTRACE_SEIZE");
            }
        });
        limiter.release();
    }
}
