package io.pageferry.transport.netty.io;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class ConnectionFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new ConnectionTargets();
    }
}
