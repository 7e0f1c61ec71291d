package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Fails a class of tests after which Netty found a buffer that nobody had released. */
final class LeakGuard implements BeforeAllCallback, AfterAllCallback {
    private static final Logger LOGGER = Logger.getLogger(ResourceLeakDetector.class.getName());

    private final List<String> leaks = new CopyOnWriteArrayList<>();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            if (String.valueOf(entry.getMessage()).contains("LEAK")) {
                leaks.add(entry.getMessage());
            }
        }

        @Override
        public void flush() {
            // Nothing is kept back.
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    };

    @Override
    public void beforeAll(ExtensionContext context) {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        LOGGER.addHandler(handler);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        provokeReports();
        LOGGER.removeHandler(handler);
        assertEquals(List.of(), leaks);
    }

    /** A leak is found when its buffer was collected and another one is made. */
    static void provokeReports() {
        for (int i = 0; i < 3; i++) {
            System.gc();
            PooledByteBufAllocator.DEFAULT.directBuffer(16).release();
        }
    }

    List<String> leaks() {
        return leaks;
    }
}
