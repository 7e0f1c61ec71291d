package io.pageferry.agent.guest.workload;

/** By its own marks. */
class MarkingWorkloadTest extends WorkloadContractTest {
    MarkingWorkloadTest() {
        super("marking");
    }
}
