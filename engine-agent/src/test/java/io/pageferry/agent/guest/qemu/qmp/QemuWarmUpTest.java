package io.pageferry.agent.guest.qemu.qmp;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A rehearsal that fails is passed over in silence, so that it succeeds is shown here. */
final class QemuWarmUpTest {
    @Test
    @Timeout(value = 20, unit = TimeUnit.SECONDS)
    void everyMoveOfTheRehearsalSucceeds() {
        assertDoesNotThrow(QemuWarmUp::run);
    }
}
