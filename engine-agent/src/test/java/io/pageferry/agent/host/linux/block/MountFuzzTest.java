package io.pageferry.agent.host.linux.block;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class MountFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new MountTargets();
    }
}
