package io.pageferry.agent.guest.workload;

import io.pageferry.core.dirty.TrackerChoice;

/** By comparing contents. */
class ScanWorkloadTest extends WorkloadContractTest {
    ScanWorkloadTest() {
        super(TrackerChoice.SCAN);
    }
}
