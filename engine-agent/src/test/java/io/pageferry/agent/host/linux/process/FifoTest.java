package io.pageferry.agent.host.linux.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Requirements;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FifoTest {
    @TempDir
    Path folder;

    private static long deadline() {
        return System.nanoTime() + Requirements.HANG.toNanos();
    }

    /** More than a pipe holds; who reads sees the end once the last holder let go of it. */
    @Test
    void carriesAllAndEndsWithItsLastHolder() throws Exception {
        Path path = folder.resolve("pipe");
        CompletableFuture<byte[]> read;
        byte[] bytes = new byte[1 << 20];
        bytes[bytes.length - 1] = 1;
        try (Fifo other = Fifo.create(path)) {
            try (Fifo pipe = Fifo.open(path)) {
                read = CompletableFuture.supplyAsync(() -> {
                    try (InputStream in = Files.newInputStream(path)) {
                        return in.readAllBytes();
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                });
                pipe.write(bytes, () -> true, deadline());
                pipe.awaitRead(() -> true, deadline());
            }
            other.write(new byte[] {2}, () -> true, deadline());
        }
        byte[] all = read.get();
        assertEquals(bytes.length + 1, all.length);
        assertEquals(2, all[bytes.length]);
    }

    @Test
    void waitsForNobodyWhoIsGone() throws IOException {
        try (Fifo pipe = Fifo.create(folder.resolve("pipe"))) {
            IOException gone = assertThrows(IOException.class,
                    () -> pipe.write(new byte[1 << 20], () -> false, deadline()));
            assertTrue(gone.getMessage().endsWith("is gone"), gone::getMessage);
            IOException late = assertThrows(IOException.class,
                    () -> pipe.awaitRead(() -> true, System.nanoTime()));
            assertTrue(late.getMessage().endsWith("does not go on reading"), late::getMessage);
        }
    }

    @Test
    void isMadeOnlyWhereNothingIs() throws IOException {
        Path path = Files.createFile(folder.resolve("pipe"));
        assertThrows(LinuxException.class, () -> Fifo.create(path));
    }
}
