package io.pageferry.agent.guest.machine;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class HardwareFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new HardwareTargets();
    }
}
