package io.pageferry.agent.guest.qemu.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.qemu.disk.DiskLockHolders.Holder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiskLockHoldersTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "'lock:\t1: OFDLCK  ADVISORY  READ -1 fe:00:77 101 101', true",
        "'lock:\t1: OFDLCK  ADVISORY  READ -1 fe:00:77 201 201', true",
        "'lock:\t2: POSIX  ADVISORY  WRITE 99 00:2f:77 0 EOF', true",
        "'lock:\t1: OFDLCK  ADVISORY  READ -1 fe:00:77 100 100', false",
        "'lock:\t1: OFDLCK  ADVISORY  READ -1 fe:00:77 203 203', false",
        "'lock:\t1: FLOCK  ADVISORY  WRITE 99 fe:00:77 0 EOF', false",
        "'flags:\t02100002', false"})
    void knowsTheLocksThatStandInAWritersWay(String line, boolean inTheWay) {
        assertEquals(inTheWay, DiskLockHolders.isInTheWay(line));
    }

    /** This process locks what another has open. */
    @Test
    void namesWhoHoldsWhatAnotherHasOpen() throws IOException {
        Path image = Files.createFile(folder.resolve("image"));
        Path other = Files.createFile(folder.resolve("other"));
        Process reader = new ProcessBuilder("sleep", "600").redirectInput(image.toFile()).start();
        try (FileChannel held = FileChannel.open(image, StandardOpenOption.WRITE);
                FileChannel unseen = FileChannel.open(other, StandardOpenOption.WRITE)) {
            unseen.lock(0, Long.MAX_VALUE, false);
            assertEquals(List.of(), DiskLockHolders.of(reader.pid()));
            assertTrue(DiskLockHolders.describe(reader.pid()).contains("look on the others"));
            held.lock(150, 10, false);
            assertEquals(List.of(), DiskLockHolders.of(reader.pid()));
            held.lock(201, 1, false);
            List<Holder> holders = DiskLockHolders.of(reader.pid());
            assertEquals(List.of(new Holder(ProcessHandle.current().pid(),
                    holders.getFirst().command(), image.toRealPath().toString())), holders);
            assertTrue(holders.getFirst().command().contains("java"), holders::toString);
            assertTrue(holders.getFirst().command().length() <= 102, holders::toString);
        } finally {
            reader.destroyForcibly();
        }
    }

    @Test
    void knowsNothingOfAProcessThatIsGone() throws IOException {
        try (Stream<Path> none = Files.list(folder)) {
            assertEquals(0, none.count());
        }
        assertEquals(List.of(), DiskLockHolders.of(folder, 1));
    }
}
