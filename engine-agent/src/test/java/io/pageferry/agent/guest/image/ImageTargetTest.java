package io.pageferry.agent.guest.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.guest.room.HostRoom;
import io.pageferry.core.link.GuestDescription;
import io.pageferry.core.memory.RegionTable;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.GuestHandle;
import io.pageferry.core.migration.GuestHandle.Condition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ImageTargetTest {
    private static final GuestDescription GUEST = new GuestDescription("test", "guest",
            RegionTable.single("ram", 1 << 20), 0, Map.of());

    @TempDir
    Path folder;

    private static final byte[] STATE = new byte[5];

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("image");
    }

    private void makeOlder() throws IOException {
        try (ImageTarget older = new ImageTarget(file, new HostRoom().claim())) {
            older.prepare(GUEST);
            older.loadState(STATE);
            older.resume();
        }
    }

    /** Whatever is offered, and whatever comes of it. */
    @Test
    void anOlderImageIsThereUntilTheNewOneIsThisHosts() throws IOException {
        makeOlder();
        String older = ImageTable.beside(file).birth();
        try (ImageTarget newer = new ImageTarget(file, new HostRoom().claim())) {
            newer.requireFits(GUEST);
            newer.prepare(GUEST);
            assertEquals(older, ImageTable.beside(file).birth());
            newer.loadState(new byte[6]);
            assertEquals(older, ImageTable.beside(file).birth());
            newer.discard();
        }
        assertEquals(older, ImageTable.beside(file).birth());
        assertEquals(5, Files.size(MemoryImageFiles.state(file)));
        assertEquals(Set.of("image", "image.state", "image.table"), names());
        try (ImageTarget newer = new ImageTarget(file, new HostRoom().claim())) {
            newer.prepare(GUEST);
            newer.loadState(new byte[6]);
            newer.resume();
        }
        assertNotEquals(older, ImageTable.beside(file).birth());
        assertEquals(6, ImageTable.beside(file).stateBytes());
        assertEquals(Set.of("image", "image.state", "image.table"), names());
    }

    @Test
    void whatCannotBeMadeLeavesNothing() throws IOException {
        GuestDescription vast = new GuestDescription("test", "guest",
                RegionTable.single("ram", 1L << 48), 0, Map.of());
        try (ImageTarget target = new ImageTarget(file, new HostRoom().claim())) {
            assertThrows(GuestException.class, () -> target.prepare(vast));
        }
        assertEquals(Set.of(), names());
    }

    private Set<String> names() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(one -> one.getFileName().toString()).collect(Collectors.toSet());
        }
    }

    /** How far the agent had come, and what its end left half done. */
    private enum Step { FILLING, COMPLETE, TORN_TABLE, MEMORY_NAMED, STATE_NAMED, PUBLISHED }

    private Map<String, String> left(Step step) throws IOException {
        try (ImageTarget target = new ImageTarget(file, new HostRoom().claim())) {
            target.prepare(GUEST);
            Map<String, String> address = target.recoveryAddress();
            Path part = new UnpublishedImage(file, address.get("birth")).part();
            if (step != Step.FILLING) {
                target.loadState(STATE);
            }
            switch (step) {
                case FILLING, COMPLETE -> { }
                case TORN_TABLE -> {
                    Path table = MemoryImageFiles.table(part);
                    Files.write(table, Arrays.copyOf(Files.readAllBytes(table), 30));
                }
                case MEMORY_NAMED, STATE_NAMED -> {
                    MemoryImageFiles.deleteTable(file);
                    Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
                    if (step == Step.STATE_NAMED) {
                        Files.move(MemoryImageFiles.state(part), MemoryImageFiles.state(file));
                    }
                }
                case PUBLISHED -> target.resume();
            }
            return address;
        }
    }

    @ParameterizedTest
    @EnumSource
    void aGuardDeletesWhatItsOwnAgentMade(Step step) throws IOException {
        GuestHandle handle = handle(left(step));
        assertEquals(Condition.PAUSED, handle.condition());
        handle.forget();
        assertEquals(Condition.GONE, handle.condition());
        handle.end();
        assertEquals(Set.of(), names());
    }

    @ParameterizedTest
    @EnumSource(names = {"COMPLETE", "MEMORY_NAMED", "STATE_NAMED", "PUBLISHED"})
    void aGuardNamesWhatWasGranted(Step step) throws IOException {
        makeOlder();
        String older = ImageTable.beside(file).birth();
        GuestHandle handle = handle(left(step));
        handle.resume();
        handle.resume();
        assertEquals(Condition.PAUSED, handle.condition());
        assertNotEquals(older, ImageTable.beside(file).birth());
        assertEquals(Set.of("image", "image.state", "image.table"), names());
    }

    /** Of a newer migration, of a version that knew no tokens, or of somebody's own making. */
    @Test
    void whatIsAtItsPathByNowIsLeftAlone() throws IOException {
        Map<String, String> address = left(Step.COMPLETE);
        handle(address).forget();
        makeOlder();
        untouched(address);
        Path table = MemoryImageFiles.table(file);
        Files.writeString(table, Files.readString(table).replaceFirst("\"birth\".*\n", ""));
        assertEquals("", ImageTable.beside(file).birth());
        untouched(address);
        Files.delete(table);
        untouched(address);
    }

    private void untouched(Map<String, String> address) throws IOException {
        GuestHandle handle = handle(address);
        assertEquals(Condition.GONE, handle.condition());
        handle.forget();
        handle.end();
        assertTrue(Files.exists(file));
        assertEquals(5, Files.size(MemoryImageFiles.state(file)));
    }

    private static GuestHandle handle(Map<String, String> address) {
        return new ImageKind().handle(address).orElseThrow();
    }
}
