package io.pageferry.agent.guest.workload;

/** By comparing contents. */
class ScanWorkloadTest extends WorkloadContractTest {
    ScanWorkloadTest() {
        super("scan");
    }
}
