package io.pageferry.agent.host.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pageferry.agent.host.linux.process.ServiceManager;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class ServiceManagerTest {
    @TempDir
    private Path folder;

    private static void assertTold(String name) throws IOException {
        try (NotifySocket socket = new NotifySocket(name)) {
            ServiceManager manager = ServiceManager.of(Map.of("NOTIFY_SOCKET", name));
            manager.tell("READY=1\nSTATUS=serves");
            assertEquals("READY=1\nSTATUS=serves", socket.poll());
            manager.tell("STOPPING=1");
            assertEquals("STOPPING=1", socket.poll());
            assertEquals("", socket.poll());
        }
    }

    @Test
    void aSocketInAFileIsTold() throws IOException {
        assertTold(folder.resolve("notify").toString());
    }

    @Test
    void anAbstractSocketIsTold() throws IOException {
        assertTold("@" + folder.resolve("notify"));
    }

    @Test
    void whereNobodyAsksNobodyIsTold() throws IOException {
        ServiceManager.of(Map.of()).tell("READY=1");
    }

    @Test
    void whoCannotBeToldIsNamed() {
        String gone = folder.resolve("gone").toString();
        IOException failed = assertThrows(IOException.class, () -> ServiceManager.of(
                Map.of("NOTIFY_SOCKET", gone)).tell("READY=1"));
        assertEquals(true, failed.getMessage().contains(gone), failed.getMessage());
        assertThrows(IOException.class, () -> ServiceManager.of(
                Map.of("NOTIFY_SOCKET", "vsock:1:2")).tell("READY=1"));
    }

    @Test
    @Timeout(60)
    void oneThatReadsNothingIsNotWaitedFor() throws IOException {
        String name = folder.resolve("notify").toString();
        try (NotifySocket socket = new NotifySocket(name)) {
            ServiceManager manager = ServiceManager.of(Map.of("NOTIFY_SOCKET", name));
            List<String> words = new ArrayList<>();
            while (words.isEmpty()) {
                manager.tell("WATCHDOG=1", words::add);
            }
            assertEquals(true, words.getFirst().contains("cannot be told"), words::toString);
            assertEquals("WATCHDOG=1", socket.poll());
        }
    }

    @Test
    void aWatchdogIsThatOfThisProcess() {
        String own = Long.toString(ProcessHandle.current().pid());
        assertEquals(Optional.of(Duration.ofSeconds(3)), ServiceManager.of(
                Map.of("WATCHDOG_USEC", "3000000", "WATCHDOG_PID", own)).watchdog());
        assertEquals(Optional.empty(), ServiceManager.of(
                Map.of("WATCHDOG_USEC", "3000000", "WATCHDOG_PID", "1")).watchdog());
        assertEquals(Optional.empty(), ServiceManager.of(Map.of()).watchdog());
    }
}
