package io.pageferry.agent.foreign;

/** A process whose writes the kernel notes. */
class TrackedProcessTest extends ForeignContractTest {
    TrackedProcessTest() {
        super("userfaultfd");
    }
}
