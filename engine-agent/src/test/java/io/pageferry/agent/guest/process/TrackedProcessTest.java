package io.pageferry.agent.guest.process;

/** A process whose writes the kernel notes. */
class TrackedProcessTest extends ProcessContractTest {
    TrackedProcessTest() {
        super("userfaultfd");
    }
}
