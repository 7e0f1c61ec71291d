package io.pageferry.agent.guest.kvm;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.core.dirty.TrackerChoice;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.testing.guest.GuestContractTest;

/** The worked example of a VMM, held to a guest's contract. */
class KvmContractTest extends GuestContractTest {
    @Override
    protected Guest open() throws GuestException {
        NeedsKvm.orSkip();
        return new KvmKind().openSource(GuestUri.parse("kvm:4MiB"),
                new GuestSetup(TrackerChoice.AUTO, false, pid -> -1));
    }
}
