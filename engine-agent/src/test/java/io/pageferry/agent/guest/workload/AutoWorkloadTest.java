package io.pageferry.agent.guest.workload;

/** By what this host can do best. */
class AutoWorkloadTest extends WorkloadContractTest {
    AutoWorkloadTest() {
        super("auto");
    }
}
