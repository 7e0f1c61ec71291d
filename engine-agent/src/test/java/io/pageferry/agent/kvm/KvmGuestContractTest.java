package io.pageferry.agent.kvm;

import io.pageferry.agent.guest.GuestSetup;
import io.pageferry.agent.guest.GuestUri;
import io.pageferry.core.migration.Guest;
import io.pageferry.core.testing.guest.GuestContractTest;

/** The machine as a guest, held to what every guest must do. */
class KvmGuestContractTest extends GuestContractTest {
    @Override
    protected Guest open() throws Exception {
        NeedsKvm.orSkip();
        return new KvmKind().openSource(GuestUri.parse("kvm:2MiB?set=1MiB"),
                new GuestSetup("auto", false, () -> null));
    }
}
