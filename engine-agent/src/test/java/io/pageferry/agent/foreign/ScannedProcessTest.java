package io.pageferry.agent.foreign;

/** A process whose memory is compared. */
class ScannedProcessTest extends ForeignContractTest {
    ScannedProcessTest() {
        super("scan");
    }
}
