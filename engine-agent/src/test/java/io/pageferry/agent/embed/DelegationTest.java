package io.pageferry.agent.embed;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.IncomingGuest;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A default method that is added to a guest's interface must not hide an embedder's own. */
class DelegationTest {
    static Method[] atSource() {
        return Guest.class.getMethods();
    }

    static Method[] atTarget() {
        return IncomingGuest.class.getMethods();
    }

    @ParameterizedTest
    @MethodSource("atSource")
    void theSourceAsksTheEmbeddersGuest(Method method) {
        assertDeclared(EmbeddedSource.class, method);
    }

    @ParameterizedTest
    @MethodSource("atTarget")
    void theTargetAsksTheEmbeddersGuest(Method method) {
        assertDeclared(EmbeddedTarget.class, method);
    }

    private static void assertDeclared(Class<?> type, Method method) {
        if (!Modifier.isStatic(method.getModifiers())) {
            assertDoesNotThrow(() -> type.getDeclaredMethod(method.getName(),
                    method.getParameterTypes()));
        }
    }
}
