package io.pageferry.agent.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Marks tests that start processes and guests, of which {@code .ci/run} has no time for all. With
 * {@code -Dpageferry.sample=8} one in eight of their methods run, drawn by the seed of the run.
 * Without it all run.
 */
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@ExtendWith(SampleCondition.class)
public @interface Sampled {
}
