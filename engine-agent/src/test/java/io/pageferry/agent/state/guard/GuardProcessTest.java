package io.pageferry.agent.state.guard;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.host.linux.Stranger;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuardProcessTest {
    private static final long SECOND = 1_000_000_000L;

    @TempDir
    private Path folder;

    @Test
    void aGuardThatWasStoppedHoldsNobodyUp() throws IOException {
        GuardProcess guard = GuardProcess.start(SECOND);
        long pid = guard.pid();
        Processes.signal(pid, Processes.startTicks(pid).orElseThrow(), Signal.STOP);
        IOException e = assertThrows(GuardException.class,
                () -> guard.watch(folder, UUID.randomUUID(), "SOURCE"));
        assertTrue(e.getMessage().contains("gives no answer"), e.getMessage());
        guard.close();
        Stranger.await("the end of the guard", () -> !guard.isAlive());
    }

    @Test
    void aGuardThatEndedIsToldAsGone() throws IOException {
        GuardProcess guard = GuardProcess.start();
        Processes.signal(guard.pid(), Processes.startTicks(guard.pid()).orElseThrow(),
                Signal.KILL);
        IOException e = assertThrows(GuardException.class,
                () -> guard.watch(folder, UUID.randomUUID(), "SOURCE"));
        assertTrue(e.getMessage().contains("ended"), e.getMessage());
        guard.close();
    }
}
