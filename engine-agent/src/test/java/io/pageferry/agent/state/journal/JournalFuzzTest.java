package io.pageferry.agent.state.journal;

import io.pageferry.core.testing.fuzz.FuzzContract;
import io.pageferry.core.testing.fuzz.FuzzTargets;

class JournalFuzzTest extends FuzzContract {
    @Override
    protected FuzzTargets targets() {
        return new JournalTargets();
    }
}
