package io.pageferry.transport.wire;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class WireFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new WireTargets();
    }
}
