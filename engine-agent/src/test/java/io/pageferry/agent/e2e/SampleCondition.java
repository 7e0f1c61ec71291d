package io.pageferry.agent.e2e;

import java.lang.reflect.Method;
import java.util.SplittableRandom;
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
        Class<?> type = context.getRequiredTestClass();
        // A class of which nothing is drawn boots no guest either.
        boolean runs = context.getTestMethod().map(method -> isDrawn(type, method, ONE_IN, SEED))
                .orElseGet(() -> isDrawn(type, ONE_IN, SEED));
        // .ci/run knows by these words what was left out.
        return runs ? ConditionEvaluationResult.enabled("in the sample")
                : ConditionEvaluationResult.disabled("not in the sample of this run");
    }

    /** Whether any test of a class is drawn, those that it inherits too. */
    static boolean isDrawn(Class<?> type, int oneIn, long seed) {
        return ReflectionSupport.findMethods(type,
                method -> AnnotationSupport.isAnnotated(method, Testable.class),
                HierarchyTraversalMode.TOP_DOWN).stream()
                .anyMatch(method -> isDrawn(type, method, oneIn, seed));
    }

    /** Whether a test is drawn; the same seed draws the same ones. */
    static boolean isDrawn(Class<?> type, Method method, int oneIn, long seed) {
        int name = (type.getName() + "." + method.getName()).hashCode();
        return new SplittableRandom(seed ^ name).nextInt(oneIn) == 0;
    }
}
