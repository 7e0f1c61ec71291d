package io.pageferry.agent.guest.disk.description;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class DescriptionFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new DescriptionTargets();
    }
}
