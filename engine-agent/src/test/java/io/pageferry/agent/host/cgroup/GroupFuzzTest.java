package io.pageferry.agent.host.cgroup;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class GroupFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new GroupTargets();
    }
}
