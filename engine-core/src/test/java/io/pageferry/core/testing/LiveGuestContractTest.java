package io.pageferry.core.testing;

import io.pageferry.core.migration.Guest;
import io.pageferry.core.testing.guest.GuestContractTest;

/** What the broken guests are made from breaks nothing. */
class LiveGuestContractTest extends GuestContractTest {
    private static final long SEED = 70;

    @Override
    protected Guest open() {
        return new LiveGuest(SEED);
    }
}
