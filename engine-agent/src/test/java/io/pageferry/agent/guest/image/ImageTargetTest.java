package io.pageferry.agent.guest.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestHandle;
import io.pageferry.core.migration.GuestHandle.Condition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageTargetTest {
    private static final GuestDescription GUEST = new GuestDescription("test", "guest",
            RegionTable.single("ram", 1 << 20), 0, Map.of());

    @TempDir
    Path folder;

    /** Also after a crash of the whole host, when no guard takes it away. */
    @Test
    void whatIsBeingFilledAnewIsNoImage() throws IOException {
        Path file = folder.resolve("image");
        try (ImageTarget older = new ImageTarget(file)) {
            older.prepare(GUEST);
            older.loadState(new byte[5]);
        }
        assertEquals(5, ImageTable.beside(file).stateBytes());
        try (ImageTarget newer = new ImageTarget(file)) {
            newer.prepare(GUEST);
            assertThrows(IOException.class, () -> ImageTable.beside(file));
        }
    }

    @Test
    void aGuardDeletesWhatItsOwnAgentMade() throws IOException {
        Path file = folder.resolve("image");
        for (int step = 0; step <= 3; step++) {
            Map<String, String> address;
            try (ImageTarget target = new ImageTarget(file)) {
                target.prepare(GUEST);
                address = target.recoveryAddress();
                if (step > 0) {
                    target.loadState(new byte[5]);
                }
            }
            Path table = MemoryImageFiles.table(file);
            if (step == 2) {
                Files.write(table, Arrays.copyOf(Files.readAllBytes(table), 30));
            } else if (step == 3) {
                Files.write(table, new byte[0]);
            }
            GuestHandle left = handle(address);
            assertEquals(Condition.PAUSED, left.condition());
            left.forget();
            assertEquals(Condition.GONE, left.condition());
            left.end();
            try (var files = Files.newDirectoryStream(folder)) {
                assertFalse(files.iterator().hasNext(), "after step " + step);
            }
        }
    }

    /** Of a newer migration, of a version that knew no tokens, or of somebody's own making. */
    @Test
    void whatIsAtItsPathByNowIsLeftAlone() throws IOException {
        Path file = folder.resolve("image");
        Map<String, String> before;
        Map<String, String> address;
        try (ImageTarget older = new ImageTarget(file)) {
            before = older.recoveryAddress();
            older.prepare(GUEST);
            address = older.recoveryAddress();
        }
        try (ImageTarget newer = new ImageTarget(file)) {
            newer.prepare(GUEST);
            newer.loadState(new byte[5]);
        }
        untouched(file, address);
        untouched(file, before);
        Path table = MemoryImageFiles.table(file);
        Files.writeString(table, Files.readString(table).replaceFirst("\"birth\".*\n", ""));
        assertEquals("", ImageTable.beside(file).birth());
        untouched(file, address);
        Files.delete(table);
        Files.write(file, new byte[] {1}, StandardOpenOption.APPEND);
        untouched(file, address);
        Files.delete(file);
        untouched(file, address);
    }

    private static void untouched(Path file, Map<String, String> address) throws IOException {
        boolean there = Files.exists(file);
        GuestHandle handle = handle(address);
        assertEquals(Condition.GONE, handle.condition());
        handle.forget();
        handle.end();
        assertEquals(there, Files.exists(file));
        assertEquals(5, Files.size(MemoryImageFiles.state(file)));
    }

    private static GuestHandle handle(Map<String, String> address) {
        return new ImageKind().handle(address).orElseThrow();
    }
}
