package io.pageferry.agent.e2e;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.annotation.Testable;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.HierarchyTraversalMode;
import org.junit.platform.commons.support.ReflectionSupport;

/** Runs only the methods of a {@link Sampled} class that are drawn. */
final class SampleCondition implements ExecutionCondition {
    /** One in so many; 1 is all of them. */
    private static final int ONE_IN = Integer.getInteger("pageferry.sample", 1);
    private static final long SEED = Long.getLong("pageferry.test.seed", System.nanoTime());

    /** Whether this run has no time for all: a test may draw from its cases, too. */
    static boolean sampled() {
        return ONE_IN > 1;
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        boolean runs = context.getTestMethod().map(method ->
                drawn(context.getRequiredTestClass(), ONE_IN, SEED).contains(method)).orElse(true);
        // .ci/run knows a method that was left out by these words.
        return runs ? ConditionEvaluationResult.enabled("in the sample")
                : ConditionEvaluationResult.disabled("not in the sample of this run");
    }

    /**
     * Draws from a class's test methods, those that it inherits too.
     *
     * @param type  of the tests
     * @param oneIn so many are drawn one of, rounded, and at least one
     * @param seed  the same seed draws the same ones
     * @return what runs
     */
    static List<Method> drawn(Class<?> type, int oneIn, long seed) {
        List<Method> all = new ArrayList<>(ReflectionSupport.findMethods(type,
                method -> AnnotationSupport.isAnnotated(method, Testable.class),
                HierarchyTraversalMode.TOP_DOWN));
        all.sort(Comparator.comparing(Method::toString));
        Collections.shuffle(all, new Random(seed ^ type.getName().hashCode()));
        return all.subList(0, Math.min(all.size(),
                Math.max(1, (all.size() + oneIn / 2) / oneIn)));
    }
}
