package io.pageferry.agent.e2e;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Tests that play their stories on one scene. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class WithScene {
    /** Not static: classes run side by side, and each has its own. */
    Path folder;

    Scene scene;

    @BeforeAll
    final void make(@TempDir Path own) throws IOException {
        folder = own;
        scene = new Scene(folder);
    }

    @AfterAll
    final void end() throws IOException {
        if (scene != null) {
            scene.close();
        }
    }
}
