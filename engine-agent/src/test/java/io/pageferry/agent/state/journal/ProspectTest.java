package io.pageferry.agent.state.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said of a state directory before anything is kept in it. */
class ProspectTest {
    @TempDir
    Path folder;

    @Test
    void aFolderWithRoomWillDo() {
        StateDirectory.Prospect prospect = StateDirectory.look(folder);
        assertTrue(prospect.fit(), prospect::found);
        assertTrue(prospect.found().startsWith(folder + ", "), prospect::found);
    }

    @Test
    void oneThatIsToBeMadeIsNotMadeYet() {
        Path wanted = folder.resolve("a/b");
        StateDirectory.Prospect prospect = StateDirectory.look(wanted);
        assertTrue(prospect.fit(), prospect::found);
        assertTrue(prospect.found().startsWith(wanted + " is going to be made in " + folder),
                prospect::found);
        assertFalse(Files.exists(folder.resolve("a")));
    }

    @Test
    void aFileIsNoFolder() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        for (Path wanted : new Path[] {file, file.resolve("below")}) {
            assertEquals(new StateDirectory.Prospect(file + " is not a folder", false),
                    StateDirectory.look(wanted));
        }
    }
}
