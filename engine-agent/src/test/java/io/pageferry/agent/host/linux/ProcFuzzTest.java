package io.pageferry.agent.host.linux;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class ProcFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new ProcTargets();
    }
}
