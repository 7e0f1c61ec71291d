package io.pageferry.core.codec.page;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class CodecFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new CodecTargets();
    }
}
