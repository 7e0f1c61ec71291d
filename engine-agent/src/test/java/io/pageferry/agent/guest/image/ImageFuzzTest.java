package io.pageferry.agent.guest.image;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class ImageFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new ImageTargets();
    }
}
