package io.pageferry.agent.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file of a capture, written and read. */
class CaptureFileTest {
    @TempDir
    private Path folder;

    private final List<String> trouble = new CopyOnWriteArrayList<>();

    @Test
    void whatIsNotedIsReadInItsOrder() throws IOException {
        Path file = folder.resolve("c");
        byte[] large = new byte[CaptureFormat.MOST_BYTES + 5];
        Arrays.fill(large, (byte) 7);
        try (CaptureWriter writer = CaptureWriter.create(file, Capture.Side.TARGET, trouble::add)) {
            assertEquals(1, writer.opened());
            assertEquals(2, writer.opened());
            writer.received(1, ByteBuffer.wrap(new byte[] {1, 2, 3}, 1, 2));
            writer.sent(2, ByteBuffer.wrap(large));
            writer.inputEnded(1);
            writer.closed(1);
        }
        assertEquals(List.of("OPENED 1 0", "OPENED 2 0", "RECEIVED 1 2", "SENT 2 1048576",
                "SENT 2 5", "INPUT_ENDED 1 0", "CLOSED 1 0"), read(file, Optional.empty()));
        assertEquals(List.of(), trouble);
        assertEquals("rw-------",
                PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }

    private static List<String> read(Path file, Optional<String> incomplete) throws IOException {
        List<String> events = new ArrayList<>();
        try (CaptureReader reader = CaptureReader.open(file)) {
            for (var next = reader.next(); next.isPresent(); next = reader.next()) {
                events.add(next.get().kind() + " " + next.get().connection() + " "
                        + next.get().bytes().remaining());
            }
            assertEquals(incomplete, reader.incomplete());
        }
        return events;
    }

    /** The buffers are full before anything can be written: nobody waits, and nothing has a gap. */
    @Test
    void whatTheDiskDoesNotFollowEndsTheCapture() throws Exception {
        Path file = folder.resolve("c");
        try (CaptureWriter writer = CaptureWriter.create(file, Capture.Side.SOURCE, 4096,
                trouble::add)) {
            int connection = writer.opened();
            writer.sent(connection, ByteBuffer.allocate(5000));
            writer.sent(connection, ByteBuffer.allocate(5));
        }
        assertEquals(List.of("OPENED 1 0"), read(file, Optional.of("the disk did not follow")));
        assertEquals(1, trouble.size(), trouble::toString);
        assertTrue(trouble.getFirst().contains("is incomplete (the disk did not follow)"),
                trouble::toString);
    }

    @Test
    void manyThreadsMakeWholeRecords() throws Exception {
        Path file = folder.resolve("c");
        int threads = 4;
        int each = 500;
        CountDownLatch done = new CountDownLatch(threads);
        try (CaptureWriter writer = CaptureWriter.create(file, Capture.Side.SOURCE, trouble::add)) {
            for (int i = 0; i < threads; i++) {
                Thread.ofPlatform().daemon().start(() -> {
                    int connection = writer.opened();
                    for (int n = 0; n < each; n++) {
                        writer.sent(connection, ByteBuffer.allocate(connection));
                    }
                    done.countDown();
                });
            }
            done.await();
        }
        List<String> events = read(file, Optional.empty());
        for (int i = 1; i <= threads; i++) {
            String sent = "SENT " + i + " " + i;
            assertEquals(each, events.stream().filter(sent::equals).count());
        }
    }

    @Test
    void whatIsNotedAfterTheEndIsNot() throws IOException {
        Path file = folder.resolve("c");
        CaptureWriter writer = CaptureWriter.create(file, Capture.Side.SOURCE, trouble::add);
        writer.close();
        writer.sent(writer.opened(), ByteBuffer.allocate(5));
        writer.close();
        assertEquals(List.of(), read(file, Optional.empty()));
    }

    @Test
    void aFileThatWasCutShortIsReadUpToThere() throws IOException {
        Path file = folder.resolve("c");
        try (CaptureWriter writer = CaptureWriter.create(file, Capture.Side.SOURCE, trouble::add)) {
            writer.sent(writer.opened(), ByteBuffer.allocate(100));
        }
        byte[] all = Files.readAllBytes(file);
        for (int length = CaptureFormat.HEADER_BYTES; length < all.length; length++) {
            Files.write(file, Arrays.copyOf(all, length));
            assertTrue(read(file, Optional.of("the file was cut short")).size() <= 2);
        }
        for (int length = 0; length < CaptureFormat.HEADER_BYTES; length++) {
            Files.write(file, Arrays.copyOf(all, length));
            assertThrows(IOException.class, () -> CaptureReader.open(file));
        }
    }

    @Test
    void aDamagedFileIsRefused() throws IOException {
        Path file = folder.resolve("c");
        try (CaptureWriter writer = CaptureWriter.create(file, Capture.Side.SOURCE, trouble::add)) {
            writer.opened();
        }
        byte[] all = Files.readAllBytes(file);
        for (int at = 0; at < all.length; at++) {
            byte[] bent = all.clone();
            bent[at] ^= 1;
            Files.write(file, bent);
            IOException refused = assertThrows(IOException.class,
                    () -> read(file, Optional.empty()), "byte " + at);
            assertFalse(refused.getMessage().isEmpty());
        }
    }

    @Test
    void nothingIsWrittenOverWhatIsThere() throws IOException {
        Path file = Files.createFile(folder.resolve("c"));
        IOException refused = assertThrows(IOException.class,
                () -> CaptureWriter.create(file, Capture.Side.SOURCE, trouble::add));
        assertTrue(refused.getMessage().contains("is there already"), refused::toString);
        Path link = Files.createSymbolicLink(folder.resolve("l"), folder.resolve("elsewhere"));
        assertThrows(IOException.class,
                () -> CaptureWriter.create(link, Capture.Side.SOURCE, trouble::add));
        assertFalse(Files.exists(folder.resolve("elsewhere")));
    }
}
