package io.pageferry.agent.guest.workload;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.testing.guest.GuestContractTest;
import java.time.Duration;

/** The embedded guest with a tracker of its own, or of the kernel, held to a guest's contract. */
abstract class WorkloadContractTest extends GuestContractTest {
    private final TrackerChoice tracker;

    WorkloadContractTest(TrackerChoice tracker) {
        this.tracker = tracker;
    }

    @Override
    protected Duration effort() {
        return Duration.ofMillis(500);
    }

    @Override
    protected Guest open() throws GuestException {
        return new WorkloadSource(
                WorkloadSpec.parse(GuestUri.parse("workload:4MiB?set=2MiB&rate=20MiB/s")),
                new GuestSetup(tracker, false, pid -> -1));
    }
}
