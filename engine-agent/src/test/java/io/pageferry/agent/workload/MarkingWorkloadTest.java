package io.pageferry.agent.workload;

/** By its own marks. */
class MarkingWorkloadTest extends WorkloadContractTest {
    MarkingWorkloadTest() {
        super("marking");
    }
}
