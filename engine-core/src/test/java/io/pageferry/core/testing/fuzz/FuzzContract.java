package io.pageferry.core.testing.fuzz;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What each module's targets must pass: their corpus, and inputs that are drawn from a seed. */
public abstract class FuzzContract {
    private static final long SEED = Long.getLong("pageferry.test.seed", 1);

    /** Inputs of each target; the build says more where there is a minute for it. */
    private static final int INPUTS = Integer.getInteger("pageferry.fuzz.inputs", 2000);

    private static final double LEAST_PERCENT = 90;

    /** {@return the module's targets} */
    protected abstract FuzzTargets targets();

    @TestFactory
    Stream<DynamicTest> theCorpusFindsNothing() {
        return each(target -> {
            for (Map.Entry<String, byte[]> file : new Corpus(target).files().entrySet()) {
                run(target, file.getValue(), file.getKey());
            }
        });
    }

    /** A seed that the encoders do not write any more is refused at once, and tests nothing. */
    @TestFactory
    Stream<DynamicTest> theSeedsAreWhatTheEncodersWrite() {
        return each(target -> {
            Map<String, byte[]> files = new Corpus(target).files();
            for (Map.Entry<String, byte[]> seed : target.seeds().entrySet()) {
                byte[] input = Corpus.input(seed.getValue());
                assertArrayEquals(input, files.get(seed.getKey()), seed.getKey());
                assertTrue(run(target, input, seed.getKey()), seed.getKey() + " is refused");
            }
        });
    }

    @TestFactory
    Stream<DynamicTest> mutatedInputsFindNothing() {
        System.out.println("-Dpageferry.test.seed=" + SEED);
        return each(target -> {
            // Each target has its own, whichever of them run.
            long seed = SEED + target.name().hashCode();
            Mutator mutator = new Mutator(seed, new Corpus(target).inputs());
            int taken = 0;
            for (int i = 0; i < INPUTS; i++) {
                byte[] input = mutator.next();
                taken += run(target, input, "input " + i + " of seed " + SEED) ? 1 : 0;
            }
            assertTrue(taken > 0, "no mutated input was taken: the sums keep them out");
        });
    }

    @TestFactory
    Stream<DynamicTest> theCorpusReachesTheParser() {
        return targets().all().stream()
                .collect(Collectors.groupingBy(FuzzTarget::parser, LinkedHashMap::new,
                        Collectors.toList()))
                .entrySet().stream().map(parser -> DynamicTest.dynamicTest(parser.getKey(), () -> {
                    LineCoverage reached = reached(parser.getValue());
                    System.out.println("corpus of " + parser.getKey() + " reaches " + reached);
                    assertTrue(reached.percent() >= LEAST_PERCENT, reached.toString());
                }));
    }

    private LineCoverage reached(List<FuzzTarget> ofOneParser) throws Exception {
        Map<FuzzTarget, List<byte[]>> inputs = new LinkedHashMap<>();
        for (FuzzTarget target : ofOneParser) {
            inputs.put(target, new Corpus(target).inputs());
        }
        return LineCoverage.of(targets().getClass(), inputs);
    }

    private interface Check {
        void of(FuzzTarget target) throws Exception;
    }

    private Stream<DynamicTest> each(Check check) {
        return targets().all().stream().map(target ->
                DynamicTest.dynamicTest(target.name(), () -> check.of(target)));
    }

    private static boolean run(FuzzTarget target, byte[] input, String which) {
        try {
            return FuzzRun.one(target, input);
        } catch (Exception | AssertionError | StackOverflowError e) {
            throw new AssertionError(target.name() + ", " + which + ": "
                    + HexFormat.of().formatHex(input), e);
        }
    }
}
