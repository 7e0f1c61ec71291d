package io.pageferry.agent.workload;

/** By comparing contents. */
class ScanWorkloadTest extends WorkloadContractTest {
    ScanWorkloadTest() {
        super("scan");
    }
}
