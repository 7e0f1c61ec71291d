package io.pageferry.agent.embed;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.core.migration.Guest;
import io.pageferry.core.migration.IncomingGuest;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whatever the engine asks of a guest reaches the embedder's own, defaults too; only close not. */
class ForwardingTest {
    private final List<String> called = new ArrayList<>();

    private <T> T recorder(Class<T> port) {
        return port.cast(Proxy.newProxyInstance(port.getClassLoader(), new Class<?>[] {port},
                (proxy, method, arguments) -> {
                    called.add(method.getName());
                    return nothing(method.getReturnType());
                }));
    }

    private static Object nothing(Class<?> type) {
        if (type == Optional.class) {
            return Optional.empty();
        }
        return type == boolean.class ? Boolean.FALSE : type == long.class ? (Object) 0L : null;
    }

    private void callAll(Class<?> port, Object adapter) throws ReflectiveOperationException {
        for (Method method : port.getMethods()) {
            Object[] arguments = Stream.of(method.getParameterTypes())
                    .map(ForwardingTest::nothing).toArray();
            method.invoke(adapter, arguments);
        }
    }

    private static List<String> methods(Class<?> port) {
        return Stream.of(port.getMethods()).map(Method::getName)
                .filter(name -> !name.equals("close")).sorted().toList();
    }

    @Test
    void everyMethodOfGuestIsForwarded() throws ReflectiveOperationException {
        callAll(Guest.class, new EmbeddedSource(recorder(Guest.class), "g"));

        assertEquals(methods(Guest.class), called.stream().sorted().toList());
    }

    @Test
    void everyMethodOfIncomingGuestIsForwarded() throws ReflectiveOperationException {
        callAll(IncomingGuest.class, new EmbeddedTarget(recorder(IncomingGuest.class), "g"));

        assertEquals(methods(IncomingGuest.class), called.stream().sorted().toList());
    }
}
