package io.pageferry.agent.guest.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.RegionTable;
import java.io.IOException;
import java.nio.file.Path;
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
}
