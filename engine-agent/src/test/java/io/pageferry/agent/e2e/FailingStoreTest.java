package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Processes.Signal;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The memory that is to become the image cannot be had any more, in the middle of a move. */
class FailingStoreTest extends WithRig {
    private static final String GUEST = "workload:16MiB?rate=0&fill=random";

    private FullDisk disk;
    private Path image;
    private Agent target;

    @BeforeEach
    void mount() throws IOException {
        disk = FullDisk.mount(folder.resolve("store"), "40m");
        image = disk.folder().resolve("image");
    }

    private void listen(String hold) throws IOException {
        target = rig.start(hold, List.of("receive", "image:" + image, "--listen",
                "127.0.0.1:0"));
    }

    @AfterEach
    void unmount() throws IOException {
        try {
            rig.close();
        } finally {
            if (disk != null) {
                disk.close();
            }
        }
    }

    private Agent source(String hold) throws IOException {
        return rig.start(hold, List.of("migrate", GUEST, "--to", target.address(), "--linger",
                "0s"));
    }

    private void assertComesToNothing(Agent source) throws IOException {
        E2e.assertEnds(4, "failed", source);
        assertEquals("host-failed", source.report().at("/error/code").asText(), source::toString);
        assertTrue(source.report().at("/error/reason").asText().contains("the image cannot be"),
                source::toString);
        assertEquals("source", source.report().at("/owner/side").asText());
        assertFalse(Files.exists(image));
        Poll.until(() -> parts().isEmpty(), () -> "something is left");
    }

    private List<Path> parts() throws IOException {
        try (Stream<Path> all = Files.list(disk.folder())) {
            return all.filter(one -> one.toString().contains(".part-")).toList();
        }
    }

    /** It goes on serving. */
    private void takesTheNextOne() throws IOException {
        Agent source = migrate(GUEST, target.address(), "--linger", "0s");
        E2e.assertEnds(0, "completed", source);
        assertTrue(Files.exists(image));
        target.await("report", event -> event.path("result").asText().equals("completed"));
        target.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", target);
        rig.awaitNothingLeft();
    }

    @Test
    void aFileSystemThatFillsUpEndsTheMoveAndNotTheTarget() throws IOException {
        listen("receiving");
        Agent source = source("");
        target.awaitHold("receiving");
        Path filler = disk.fillBut(0);
        target.goOn();
        assertComesToNothing(source);
        Files.delete(filler);
        takesTheNextOne();
    }

    @Test
    void aFileThatIsCutShortEndsTheMoveAndNotTheTarget() throws IOException {
        listen("");
        Agent source = source("round 0");
        source.awaitHold("round 0");
        try (RandomAccessFile file = new RandomAccessFile(parts().getFirst().toFile(), "rw")) {
            file.setLength(0);
        }
        source.goOn();
        assertComesToNothing(source);
        takesTheNextOne();
    }
}
