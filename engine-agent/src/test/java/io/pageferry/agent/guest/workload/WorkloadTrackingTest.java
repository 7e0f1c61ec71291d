package io.pageferry.agent.guest.workload;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.userfault.KernelProbe;
import io.pageferry.agent.host.memory.MappedRegions;
import io.pageferry.core.dirty.DirtyBitmap;
import io.pageferry.core.dirty.DirtyTracker;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.migration.GuestException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which tracker an embedded guest gets, and that the kernel's sees its writes. */
class WorkloadTrackingTest {
    private static final int PAGE = 4096;
    private static final long SIZE = 1L << 20;

    private MappedRegions regions;

    @BeforeEach
    void map() throws GuestException {
        regions = Workload.memory(new WorkloadSpec(SIZE, SIZE, 0, WorkloadSpec.Fill.ZERO, false),
                MappedRegions::new);
    }

    @AfterEach
    void unmap() {
        regions.close();
    }

    @Test
    void theKernelIsChosenWhereItCanAndSeesWhatIsWritten() throws Exception {
        List<KernelProbe.Step> steps = KernelProbe.run();
        Assumptions.assumeTrue(KernelProbe.canTrackSelf(steps), KernelProbe.summary(steps));
        WorkloadTracking chosen = WorkloadTracking.automatic(steps, regions);
        assertTrue(chosen.reason().contains("kernel"), chosen.reason());
        try (DirtyTracker tracker = chosen.tracker();
                DirtyBitmap dirty = new DirtyBitmap(SIZE / PAGE)) {
            assertEquals("userfaultfd", tracker.name());
            tracker.start();
            tracker.harvest(dirty);
            dirty.clearAll();
            regions.window(0).set(JAVA_BYTE, 7 * PAGE + 5, (byte) 1);
            // Not told by the guest: only the kernel can know.
            tracker.harvest(dirty);
            assertEquals(1, dirty.count());
            assertTrue(dirty.isMarked(7));
        }
    }

    @Test
    void theGuestMarksItsWritesWhereTheKernelCannot() throws Exception {
        WorkloadTracking chosen = WorkloadTracking.automatic(without("wp-async"), regions);
        assertTrue(chosen.reason().contains("wp-async: no, too old"), chosen.reason());
        assertMarks(chosen);
    }

    @Test
    void whatWasAskedForIsTaken() throws Exception {
        assertMarks(WorkloadTracking.choose(TrackerChoice.MARKING, regions));
        GuestException refused = assertThrows(GuestException.class,
                () -> WorkloadTracking.byKernel(without("pagemap-scan"), regions));
        assertTrue(refused.getMessage().contains("pagemap-scan: no, too old"),
                refused.getMessage());
        assertTrue(refused.remedy().contains("--tracker marking"), refused.remedy());
        assertThrows(IllegalArgumentException.class,
                () -> WorkloadTracking.choose(TrackerChoice.DIRTY_LOG, regions));
    }

    private static void assertMarks(WorkloadTracking chosen) throws Exception {
        try (DirtyTracker tracker = chosen.tracker();
                DirtyBitmap dirty = new DirtyBitmap(SIZE / PAGE)) {
            assertEquals("marking", tracker.name());
            tracker.start();
            tracker.harvest(dirty);
            dirty.clearAll();
            chosen.marks().accept(3);
            tracker.harvest(dirty);
            assertTrue(dirty.isMarked(3));
            assertFalse(dirty.isMarked(4));
        }
    }

    private static List<KernelProbe.Step> without(String ability) {
        return List.of(new KernelProbe.Step("memfd", true, "made"),
                new KernelProbe.Step(ability, false, "too old"));
    }
}
