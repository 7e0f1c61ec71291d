package io.pageferry.agent.workload;

/** By what this host can do best. */
class AutoWorkloadTest extends WorkloadContractTest {
    AutoWorkloadTest() {
        super("auto");
    }
}
