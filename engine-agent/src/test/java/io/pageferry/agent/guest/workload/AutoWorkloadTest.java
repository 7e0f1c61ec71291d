package io.pageferry.agent.guest.workload;

import io.pageferry.core.dirty.TrackerChoice;

/** By what this host can do best. */
class AutoWorkloadTest extends WorkloadContractTest {
    AutoWorkloadTest() {
        super(TrackerChoice.AUTO);
    }
}
