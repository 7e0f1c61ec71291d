package io.pageferry.agent.guest.qemu.start;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class StartFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new StartTargets();
    }
}
