package io.pageferry.core.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.pageferry.core.testing.guest.GuestContractTest;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The contract of a guest finds what is broken in one, and nothing else. All run side by side. */
@Timeout(120)
class GuestContractFindsTest {
    private static final int TESTS = 14;

    /** By class, and in it by test, why it failed. */
    private static final Map<String, Map<String, String>> FAILED = new ConcurrentHashMap<>();
    private static final Map<String, AtomicInteger> RAN = new ConcurrentHashMap<>();

    private static final String WRITES = "theTrackerLosesNoWrite";
    private static final String THROTTLE = "theThrottleHoldsIsCountedAndUndone";
    private static final String ROLL_BACK = "afterARollBackItRunsAndIsSavedAgain";
    private static final String NO_ROOM = "aStateThatCannotBeWrittenLeavesItToBeResumed";

    static Stream<Arguments> broken() {
        return Stream.of(
                arguments(BrokenGuests.ClearsWhatWasReadLater.class, Set.of(WRITES)),
                arguments(BrokenGuests.ClearsAllAfterReadingAll.class, Set.of(WRITES)),
                arguments(BrokenGuests.PauseReturnsEarly.class,
                        Set.of("noByteChangesOncePauseReturned")),
                arguments(BrokenGuests.StateDiffersEachTime.class,
                        Set.of("theStateOfAPausedGuestIsRepeatable")),
                arguments(BrokenGuests.StaysPausedOnceSaved.class, Set.of(ROLL_BACK, NO_ROOM)),
                arguments(BrokenGuests.DiesWhereItCannotSave.class, Set.of(NO_ROOM)),
                arguments(BrokenGuests.SavingWritesUnseen.class,
                        Set.of("whatSavingTheStateWritesIsReported")),
                arguments(BrokenGuests.CountsItsResumes.class,
                        Set.of("resumingOneThatRunsHasNoEffect")),
                arguments(BrokenGuests.SaysThatItWentOn.class,
                        Set.of("runsStandsAndRunsAgain")),
                arguments(BrokenGuests.ForgetsItsLastPage.class,
                        Set.of("whatIsToldToBeAHoleHoldsNothing")),
                arguments(BrokenGuests.DescribesOtherMemory.class,
                        Set.of("describesTheMemoryThatItGives")),
                arguments(BrokenGuests.ThrottleHoldsNobody.class, Set.of(THROTTLE)),
                arguments(BrokenGuests.ThrottleStays.class, Set.of(THROTTLE)),
                arguments(BrokenGuests.WritesAfterItsEnd.class,
                        Set.of("whatAnotherHostOwnsWritesNothing")),
                arguments(BrokenGuests.ClosesOnce.class,
                        Set.of("mayBeClosedTwicePausedOrRunning")));
    }

    @BeforeAll
    static void runAll() {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(broken().map(one -> selectClass((Class<?>) one.get()[0])).toList())
                .filters(EngineFilter.includeEngines("junit-jupiter"))
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "true")
                .configurationParameter("junit.jupiter.execution.parallel.mode.default",
                        "concurrent")
                .configurationParameter(
                        "junit.jupiter.execution.parallel.config.executor-service",
                        "WORKER_THREAD_POOL")
                .configurationParameter("junit.jupiter.execution.parallel.config.strategy",
                        "fixed")
                .configurationParameter(
                        "junit.jupiter.execution.parallel.config.fixed.parallelism", "8")
                .build();
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (test.getSource().orElse(null) instanceof MethodSource method) {
                    note(method, result);
                }
            }
        });
    }

    private static void note(MethodSource method, TestExecutionResult result) {
        RAN.computeIfAbsent(method.getClassName(), name -> new AtomicInteger())
                .incrementAndGet();
        if (result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
            FAILED.computeIfAbsent(method.getClassName(), name -> new ConcurrentSkipListMap<>())
                    .put(method.getMethodName(),
                            result.getThrowable().map(Throwable::toString).orElse("?"));
        }
    }

    @ParameterizedTest
    @org.junit.jupiter.params.provider.MethodSource("broken")
    void whatIsBroken(Class<? extends GuestContractTest> guest, Set<String> tests) {
        Map<String, String> failed = FAILED.getOrDefault(guest.getName(), Map.of());
        assertEquals(tests, failed.keySet(), failed::toString);
        assertTrue(RAN.get(guest.getName()).get() >= TESTS, () -> RAN + " tests");
    }
}
