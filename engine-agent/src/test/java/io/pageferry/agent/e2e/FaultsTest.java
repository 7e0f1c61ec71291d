package io.pageferry.agent.e2e;

import io.pageferry.agent.e2e.FaultRig.Fault;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Everything that can go wrong with the move of a real QEMU guest, one thing at a time. Afterwards
 * exactly one side runs it, its own check is clean, the message says what happened, and the second
 * attempt succeeds. All share one guest. See also {@link WhoRunsTest}, {@link SettleTest} and
 * {@link QemuTroubleTest}.
 *
 * <p>A sample of them here, drawn by the seed of the run; all in the full run, see CONTRIBUTING.md,
 * and those whose names hold a word by {@code -Dpageferry.only=guard}
 */
@Tag("full")
class FaultsTest extends WithFaultRig {
    private static final int SAMPLE = 2;

    @TestFactory
    List<DynamicTest> everyFaultEndsWithOneGuestAndASecondAttemptThatSucceeds() {
        Map<String, Fault> all = new LinkedHashMap<>(Faults.all());
        all.putAll(FullDisks.all());
        return Draw.sample(all.keySet(), SAMPLE).stream().map(name ->
                DynamicTest.dynamicTest(name, () -> rig.run(all.get(name)))).toList();
    }
}
