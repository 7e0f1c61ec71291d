package io.pageferry.agent.guest.process;

import io.pageferry.core.dirty.TrackerChoice;

/** A process whose writes the kernel notes. */
class TrackedProcessTest extends ProcessContractTest {
    TrackedProcessTest() {
        super(TrackerChoice.USERFAULTFD);
    }
}
