package io.pageferry.agent.daemon.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.daemon.store.Submissions.Submission;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files of slots and of moves that were asked for: torn, damaged, of a newer version. */
class KeptFilesTest {
    @TempDir
    private Path folder;

    private static Submission submission(String key) {
        return new Submission(UUID.randomUUID(), key, "web", "127.0.0.1:4477", "a",
                Map.of("cold", "true"), false);
    }

    @Test
    void whatWasAskedForIsKnownUntilItEnded() throws IOException {
        Submission one = submission("k");
        Submission two = submission("");
        try (Submissions submissions = Submissions.open(folder)) {
            submissions.add(one);
            submissions.add(two);
            submissions.end(two.id());
            submissions.end(UUID.randomUUID());
        }
        try (Submissions submissions = Submissions.open(folder)) {
            assertEquals(List.of(one), submissions.notEnded());
            assertEquals(Optional.of(one), submissions.find("k"));
            assertEquals(Optional.empty(), submissions.find("l"));
            assertTrue(submissions.find(two.id()).orElseThrow().ended());
            assertEquals("web", submissions.find(two.id()).orElseThrow().guest());
        }
    }

    @Test
    void aTornLineTakesNoOtherOneWithIt() throws IOException {
        Submission one = submission("k1");
        Submission two = submission("k2");
        try (Submissions submissions = Submissions.open(folder)) {
            submissions.add(one);
        }
        Files.writeString(folder.resolve("submitted"), "{\"id\":\"" + UUID.randomUUID(),
                StandardOpenOption.APPEND);
        try (Submissions submissions = Submissions.open(folder)) {
            submissions.add(two);
        }
        try (Submissions submissions = Submissions.open(folder)) {
            assertEquals(List.of(one, two), submissions.notEnded());
        }
    }

    @Test
    void onlyTheLastOnesThatEndedAreKept() throws IOException {
        Submission open = submission("open");
        Submission first = submission("first");
        Submission last = submission("last");
        try (Submissions submissions = Submissions.open(folder)) {
            submissions.add(open);
            for (int i = 0; i < 1100; i++) {
                Submission one = i == 0 ? first : i == 1099 ? last : submission("");
                submissions.add(one);
                submissions.end(one.id());
            }
        }
        // It was written anew in between.
        assertTrue(Files.readAllLines(folder.resolve("submitted")).size() <= 2001);
        try (Submissions submissions = Submissions.open(folder)) {
            assertEquals(List.of(open), submissions.notEnded());
            assertEquals(Optional.empty(), submissions.find("first"));
            assertEquals(last.id(), submissions.find("last").orElseThrow().id());
        }
    }

    @Test
    void aNewerVersionMaySayMoreOfAMove() throws IOException {
        UUID id = UUID.randomUUID();
        Files.writeString(folder.resolve("submitted"), "{\"id\":\"" + id
                + "\",\"key\":\"k\",\"guest\":\"web\",\"priority\":{\"class\":3}}\n");
        try (Submissions submissions = Submissions.open(folder)) {
            assertEquals(id, submissions.find("k").orElseThrow().id());
        }
    }

    @Test
    void aNewerVersionMaySayMoreOfSlots() throws IOException {
        Files.writeString(folder.resolve("slots.json"), "{\"schema\":\"pageferry.slots/1\","
                + "\"slots\":{\"a\":\"web\"},\"reserved\":[1]}");
        assertEquals(Map.of("a", "web"), KeptSlots.open(folder).all());
    }

    @Test
    void slotsThatCannotBeReadAreNotTakenForNone() throws IOException {
        Path file = Files.writeString(folder.resolve("slots.json"),
                "{\"schema\":\"pageferry.slots/2\",\"slots\":{}}");
        IOException newer = assertThrows(IOException.class, () -> KeptSlots.open(folder));
        assertTrue(newer.getMessage().contains("no list of slots of this version"),
                newer.getMessage());
        Files.writeString(file, "{\"schema\":\"pageferry.slots/1\",\"slots\":{\"a\"");
        IOException damaged = assertThrows(IOException.class, () -> KeptSlots.open(folder));
        assertTrue(damaged.getMessage().contains("slots.json is damaged"), damaged.getMessage());
        Files.delete(file);
        assertTrue(KeptSlots.open(folder).all().isEmpty());
    }

    @Test
    void aSlotIsKeptUntilItIsRemoved() throws IOException {
        KeptSlots slots = KeptSlots.open(folder);
        slots.put("a", "web");
        slots.put("b", "db");
        slots.remove("a");
        slots.remove("none");
        assertEquals(Map.of("b", "db"), slots.all());
        assertEquals(Map.of("b", "db"), KeptSlots.open(folder).all());
        assertFalse(Files.exists(folder.resolve("slots.json.new")));
    }
}
