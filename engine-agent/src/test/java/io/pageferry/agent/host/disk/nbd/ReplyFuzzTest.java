package io.pageferry.agent.host.disk.nbd;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class ReplyFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new ReplyTargets();
    }
}
