package io.pageferry.core.testing;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.UnaryOperator;

/** Ports of a guest of which one answer is changed. */
final class Bent {
    private Bent() {
    }

    /** Puts something around what the method {@code name} answers; nothing where that is null. */
    @SuppressWarnings("unchecked")
    static <G, M> G around(Class<G> port, G guest, String name, UnaryOperator<M> change) {
        return change == null ? guest : port.cast(Proxy.newProxyInstance(
                port.getClassLoader(), new Class<?>[] {port}, (proxy, method, arguments) -> {
                    try {
                        Object answer = method.invoke(guest, arguments);
                        return method.getName().equals(name) ? change.apply((M) answer) : answer;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }
}
