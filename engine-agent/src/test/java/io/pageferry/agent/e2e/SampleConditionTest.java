package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A sample that never draws a test, or a class without one of its tests, would hide it. */
class SampleConditionTest {
    private static final int SEEDS = 1000;

    /** Its test is inherited. */
    abstract static class Base {
        @Test
        void inherited() { }
    }

    static class Three extends Base {
        @Test
        void one() { }

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void two(int value) { }
    }

    @Test
    void oneInOneIsAll() throws NoSuchMethodException {
        for (long seed = 0; seed < SEEDS; seed++) {
            assertEquals(3, drawn(1, seed));
            assertTrue(SampleCondition.isDrawn(Three.class, 1, seed));
        }
    }

    @Test
    void eachTestIsDrawnAsOftenAsIsAskedForAndItsClassWithIt() throws NoSuchMethodException {
        long drawn = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            long now = drawn(5, seed);
            drawn += now;
            assertEquals(now > 0, SampleCondition.isDrawn(Three.class, 5, seed));
        }
        // 600 of 3000 are expected, and 22 is the deviation.
        assertEquals(600, drawn, 110);
    }

    private static long drawn(int oneIn, long seed) throws NoSuchMethodException {
        return List.of(Base.class.getDeclaredMethod("inherited"),
                Three.class.getDeclaredMethod("one"),
                Three.class.getDeclaredMethod("two", int.class)).stream()
                .filter(method -> SampleCondition.isDrawn(Three.class, method, oneIn, seed))
                .count();
    }
}
