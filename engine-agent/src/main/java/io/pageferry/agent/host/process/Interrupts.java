package io.pageferry.agent.host.process;

import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;

/** What Ctrl-C does, where a second one is to be told apart from the first. */
public final class Interrupts {
    private Interrupts() {
    }

    /**
     * Takes SIGINT over from the JVM, which would end at the first. The JDK's class for it is of no
     * API, so that the compiler would warn of its name.
     *
     * @param first  runs at the first one, on a thread of its own
     * @param second runs at each further one
     * @return whether it is done; where it is not, the JVM ends at the first one as ever
     */
    public static boolean take(Runnable first, Runnable second) {
        AtomicInteger count = new AtomicInteger();
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object ours = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler},
                    (proxy, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            (count.getAndIncrement() == 0 ? first : second).run();
                            return null;
                        }
                        return method.invoke(count, arguments);
                    });
            signal.getMethod("handle", signal, handler).invoke(null,
                    signal.getConstructor(String.class).newInstance("INT"), ours);
            return true;
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }
}
