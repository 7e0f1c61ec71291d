package io.pageferry.agent.guest.process;

import io.pageferry.core.dirty.TrackerChoice;

/** A process whose memory is compared. */
class ScannedProcessTest extends ProcessContractTest {
    ScannedProcessTest() {
        super(TrackerChoice.SCAN);
    }
}
