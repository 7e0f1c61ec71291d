package io.pageferry.core.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.pageferry.core.testing.memory.MemoryContract;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The contracts of memory find what is broken in one, and nothing else. */
class MemoryContractFindsTest {
    private static final String RUNS = "readsRuns";
    private static final String PAGES = "readsWhatStandsInEachPageAndNothingBesides";
    private static final String ASKED = "givesNothingThatWasReadBeforeItWasAskedFor";
    private static final String FORGETS = "forgetsWhatWasAskedForAndNotTaken";
    private static final String HOLES = "holesAndDataTakeTurns";
    private static final String PUT = "whatWasPutIsWhereTheGuestFindsIt";
    private static final String PUT_RUN = "putsRuns";
    private static final String CLEARS = "clearsWhatItIsToldToAndNothingElse";
    private static final String BACK = "readsBackWhatTheGuestWillSee";

    static Stream<Arguments> broken() {
        return Stream.of(
                arguments(BrokenMemory.ReadsOnce.class, Set.of(ASKED)),
                arguments(BrokenMemory.ForgetsNothing.class, Set.of(FORGETS)),
                arguments(BrokenMemory.NeverComes.class, Set.of(PAGES)),
                arguments(BrokenMemory.WritesBesideTheRun.class, Set.of(PAGES, RUNS, ASKED,
                        FORGETS)),
                arguments(BrokenMemory.TakesTheLastPageForAHole.class,
                        Set.of(HOLES)),
                arguments(BrokenMemory.ReadsBackItsOwnCopy.class, Set.of(PUT, CLEARS, BACK,
                        HOLES)),
                arguments(BrokenMemory.PutsOnlyTheFirstOfARun.class, Set.of(PUT_RUN)),
                arguments(BrokenMemory.ClearsOneMore.class, Set.of(CLEARS)),
                arguments(BrokenMemory.IsNeverFlushed.class, Set.of(PUT, CLEARS, BACK)));
    }

    @ParameterizedTest
    @org.junit.jupiter.params.provider.MethodSource("broken")
    void whatIsBroken(Class<? extends MemoryContract> memory, Set<String> tests) {
        TreeMap<String, String> failed = new TreeMap<>();
        LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(memory))
                .filters(EngineFilter.includeEngines("junit-jupiter")).build(),
                new TestExecutionListener() {
                    @Override
                    public void executionFinished(TestIdentifier test,
                            TestExecutionResult result) {
                        if (test.getSource().orElse(null) instanceof MethodSource method
                                && result.getStatus()
                                        != TestExecutionResult.Status.SUCCESSFUL) {
                            failed.put(method.getMethodName(), result.getThrowable()
                                    .map(Throwable::toString).orElse("?"));
                        }
                    }
                });
        assertEquals(tests, failed.keySet(), failed::toString);
    }
}
