package io.pageferry.agent.host.disk.image;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class HeaderFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new HeaderTargets();
    }
}
