package io.pageferry.agent.guest.workload;

import io.pageferry.core.dirty.TrackerChoice;

/** By its own marks. */
class MarkingWorkloadTest extends WorkloadContractTest {
    MarkingWorkloadTest() {
        super(TrackerChoice.MARKING);
    }
}
