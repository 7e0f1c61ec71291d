package io.pageferry.agent.linux;

import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** What a test needs of the kernel; without it the test is skipped and says why. */
final class Requirements {
    private static final List<KernelProbe.Step> STEPS = KernelProbe.run();
    private static final long SEED = Long.getLong("pageferry.test.seed", System.nanoTime());

    private Requirements() {
    }

    static void ownTracking() {
        Assumptions.assumeTrue(KernelProbe.canTrackSelf(STEPS), KernelProbe.summary(STEPS));
    }

    static void foreignTracking() {
        Assumptions.assumeTrue(KernelProbe.canTrackOthers(STEPS), KernelProbe.summary(STEPS));
    }

    static long seed() {
        System.out.println("-Dpageferry.test.seed=" + SEED);
        return SEED;
    }
}
