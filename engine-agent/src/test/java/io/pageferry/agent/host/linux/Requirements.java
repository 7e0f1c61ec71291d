package io.pageferry.agent.host.linux;

import io.pageferry.agent.host.linux.bpf.BlockTracker;
import io.pageferry.agent.host.linux.userfault.KernelProbe;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** What a test needs of the kernel; without it the test is skipped and says why. */
public final class Requirements {
    /** After it a wait is a hang, also on a machine that does a lot of other things. */
    public static final Duration HANG = Duration.ofMinutes(4);

    private static final List<KernelProbe.Step> STEPS = KernelProbe.run();
    private static final long SEED = Long.getLong("pageferry.test.seed", System.nanoTime());

    private static final String NO_BLOCK_TRACKING = noBlockTracking();

    private Requirements() {
    }

    private static String noBlockTracking() {
        try {
            BlockTracker.requireKernel();
            return "";
        } catch (IOException e) {
            return e.getMessage();
        }
    }

    public static void ownTracking() {
        Assumptions.assumeTrue(KernelProbe.canTrackSelf(STEPS), KernelProbe.summary(STEPS));
    }

    public static void foreignTracking() {
        Assumptions.assumeTrue(KernelProbe.canTrackOthers(STEPS), KernelProbe.summary(STEPS));
    }

    public static void blockTracking() {
        Assumptions.assumeTrue(NO_BLOCK_TRACKING.isEmpty(), NO_BLOCK_TRACKING);
    }

    public static long seed() {
        System.out.println("-Dpageferry.test.seed=" + SEED);
        return SEED;
    }
}
