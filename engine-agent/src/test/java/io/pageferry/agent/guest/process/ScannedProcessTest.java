package io.pageferry.agent.guest.process;

/** A process whose memory is compared. */
class ScannedProcessTest extends ProcessContractTest {
    ScannedProcessTest() {
        super("scan");
    }
}
