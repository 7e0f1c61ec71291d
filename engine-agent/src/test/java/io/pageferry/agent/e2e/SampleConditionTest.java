package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A sample that leaves a class out, or always draws the same, would test less than it says. */
class SampleConditionTest {
    /** Tests of which one is inherited, and a method that is none. */
    abstract static class Base {
        @Test
        void inherited() { }
    }

    static class Seven extends Base {
        @Test
        void one() { }

        @Test
        void two() { }

        @Test
        void three() { }

        @Test
        void four() { }

        @Test
        void five() { }

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void six(int value) { }

        void none() { }
    }

    @Test
    void oneInOneIsAll() {
        assertEquals(7, SampleCondition.drawn(Seven.class, 1, 0).size());
    }

    @Test
    void atLeastOneIsDrawnAndEachByAFewSeeds() {
        Set<Method> seen = new HashSet<>();
        for (long seed = 0; seed < 200; seed++) {
            List<Method> drawn = SampleCondition.drawn(Seven.class, 20, seed);
            assertEquals(1, drawn.size());
            assertEquals(drawn, SampleCondition.drawn(Seven.class, 20, seed));
            seen.addAll(drawn);
        }
        assertEquals(7, seen.size(), seen::toString);
        assertEquals(2, SampleCondition.drawn(Seven.class, 4, 1).size());
        assertTrue(seen.stream().noneMatch(method -> method.getName().equals("none")));
    }
}
