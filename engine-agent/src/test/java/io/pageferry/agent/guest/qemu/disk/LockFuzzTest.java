package io.pageferry.agent.guest.qemu.disk;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class LockFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new LockTargets();
    }
}
