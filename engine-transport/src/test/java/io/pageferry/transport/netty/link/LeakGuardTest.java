package io.pageferry.transport.netty.link;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.netty.buffer.PooledByteBufAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** The guard against leaks sees one; alone, for those of other classes would see it, too. */
@Isolated
class LeakGuardTest {
    @Test
    void aForgottenBufferIsFound() {
        LeakGuard guard = new LeakGuard();
        guard.beforeAll(null);
        long start = System.nanoTime();
        while (guard.leaks().isEmpty() && System.nanoTime() - start < 20_000_000_000L) {
            PooledByteBufAllocator.DEFAULT.directBuffer(32).writeByte(1);
            LeakGuard.provokeReports();
        }
        assertFalse(guard.leaks().isEmpty());
        assertThrows(AssertionError.class, () -> guard.afterAll(null));
    }
}
