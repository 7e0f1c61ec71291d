package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.Agent.Start;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Nobody reads the agent's stderr, which strangers fill: it moves guests all the same. */
class UnreadErrorsTest extends WithRig {
    /** Each was a line once, and the pipe holds 64 KiB. */
    private static final int STRANGERS = 800;

    @Test
    void strangersDoNotStopAnAgentWhosePipeIsFull() throws IOException {
        Path pipe = folder.resolve("pipe");
        DiskGuest.run("mkfifo", pipe.toString());
        CompletableFuture<InputStream> end = CompletableFuture.supplyAsync(() -> open(pipe));
        Agent target = rig.start(new Start(List.of("sh", "-c", "exec \"$@\" 2>\"$0\"",
                pipe.toString()), List.of(), List.of("receive", "workload:8MiB", "--listen",
                "127.0.0.1:0", "--once", "--linger", "300ms", "--verbose"), ""));
        try (InputStream unread = end.join()) {
            InetSocketAddress address = Caller.address(target);
            for (int i = 0; i < STRANGERS; i++) {
                knock(address);
            }
            E2e.assertMoved(migrate("workload:8MiB?rate=1MiB/s", target.address()), target);
            assertTrue(unread.available() > 0, "it said nothing");
        }
    }

    private static InputStream open(Path pipe) {
        try {
            return new FileInputStream(pipe.toFile());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits until it is sent away. */
    private static void knock(InetSocketAddress address) throws IOException {
        try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".repeat(8)
                    .getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().readAllBytes();
        } catch (IOException e) {
            // Reset: it was sent away before it had said all.
        }
    }
}
