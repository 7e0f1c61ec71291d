package io.pageferry.core.migration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.testing.Harness;
import io.pageferry.core.testing.SlowMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Memory that is not mapped on either side, answers later, and may fail. */
class SlowMemoryTest {
    private static final int SEEDS = 60;
    private static final int FEW = 20;

    @Test
    void aGuestThatIsReadLikeADiskArrivesAsItWasPaused() {
        long full = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            List<SlowMemory> slow = new ArrayList<>();
            long of = seed;
            try (Harness harness = new Harness(seed)) {
                Harness.Ends ends = harness.bendMemory(real -> kept(slow, new SlowMemory(real, of)),
                        real -> kept(slow, new SlowMemory(real, ~of))).run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.COMPLETED, ends.source().result(), what);
                assertEquals(Result.COMPLETED, ends.target().result(), what);
                assertEquals(0, harness.incoming().wrongPages(), what);
                assertTrue(slow.stream().anyMatch(one -> one.notYet() > 0), what);
                full += slow.stream().mapToLong(SlowMemory::wasFull).sum();
                assertEquals(0, slow.stream().mapToLong(SlowMemory::overruns).sum(), what);
            }
        }
        assertTrue(full > 0, "no image was ever full");
    }

    @Test
    void aSourceThatCannotBeReadLeavesTheGuestRunning() {
        fails("the guest's memory cannot be read: page ", true);
    }

    @Test
    void anImageThatCannotBeWrittenLeavesTheGuestRunning() {
        fails("the image cannot be written or read: page ", false);
    }

    private static void fails(String reason, boolean atSource) {
        for (long seed = 0; seed < FEW; seed++) {
            long of = seed;
            try (Harness harness = new Harness(seed)) {
                for (int page = 0; page < 5; page++) {
                    if (page < harness.guest().workload().pages()) {
                        harness.guest().writeData(page);
                    }
                }
                harness.bendMemory(
                        real -> atSource ? new SlowMemory(real, of).failingAfter(of % 4) : real,
                        real -> atSource ? real : new SlowMemory(real, of).failingAfter(0));
                Harness.Ends ends = harness.run();
                String what = "seed " + seed + ": " + ends + "; " + harness.log();
                assertEquals(Result.FAILED, ends.source().result(), what);
                // A target that ends may be gone before it is heard: then the link is lost.
                Outcome failed = atSource ? ends.source() : ends.target();
                assertEquals(ErrorCode.HOST_FAILED, failed.code(), what);
                assertTrue(failed.reason().startsWith(reason), what);
                assertTrue(harness.guest().isRunning(), what);
                assertFalse(harness.incoming().isLoaded(), what);
                assertEquals(harness.log().count("target.prepare"),
                        harness.log().count("target.discard"), what);
            }
        }
    }

    private static SlowMemory kept(List<SlowMemory> all, SlowMemory one) {
        all.add(one);
        return one;
    }
}
