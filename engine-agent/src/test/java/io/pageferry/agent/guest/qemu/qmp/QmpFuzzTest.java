package io.pageferry.agent.guest.qemu.qmp;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class QmpFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new QmpTargets();
    }
}
