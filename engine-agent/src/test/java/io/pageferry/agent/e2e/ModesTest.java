package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.e2e.Agent.Start;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What was a guest's memory, or decides who owns the guest, is for the agent's user alone. */
class ModesTest extends WithRig {
    /** Then a file has all the rights that its maker did not think of. */
    private static final List<String> NO_UMASK = List.of("sh", "-c", "umask 0; exec \"$@\"", "sh");

    @Test
    void noOtherUserReadsWhatAMoveMakes() throws IOException {
        Agent target = start("", "receive", "image:" + folder.resolve("image"), "--listen",
                "127.0.0.1:0", "--once");
        Agent source = start("round 0", "migrate", "workload:8MiB?rate=0", "--to",
                target.address());
        source.awaitHold("round 0");
        for (Agent agent : List.of(source, target)) {
            assertEquals("00000000", Files.readString(Path.of("/proc", Long.toString(
                    agent.pid()), "coredump_filter")).strip(), "memory in its core dumps");
        }
        // Two journals with their locks in a folder, and the image.
        assertTrue(privateFiles() >= 6);
        source.goOn();
        E2e.assertMoved(source, target);
        // Two journals, and the image with table and state.
        assertTrue(privateFiles() >= 6);
    }

    @Test
    void aStateDirectoryThatOthersMayWriteIsRefused() throws IOException {
        Files.createDirectory(rig.state());
        Files.setPosixFilePermissions(rig.state(), PosixFilePermissions.fromString("rwxrwx---"));
        Agent check = rig.start("", List.of("check", "image:" + folder.resolve("image")));
        assertEquals(3, check.exit(), check::toString);
        Agent source = migrate("workload:8MiB", "127.0.0.1:9");
        E2e.assertEnds(3, "refused", source);
        assertTrue(source.words().contains("chmod go-w " + rig.state()), source::toString);
        Files.setPosixFilePermissions(rig.state(), PosixFilePermissions.fromString("rwxr-x---"));
        Agent again = rig.start("", List.of("status"));
        assertEquals(0, again.exit(), again::toString);
    }

    private Agent start(String hold, String... arguments) throws IOException {
        return rig.start(new Start(NO_UMASK, List.of(), List.of(arguments), hold));
    }

    private long privateFiles() throws IOException {
        try (Stream<Path> state = Files.walk(rig.state());
                Stream<Path> beside = Files.list(folder)) {
            List<Path> made = Stream.concat(state, beside.filter(file ->
                    file.getFileName().toString().startsWith("image"))).toList();
            for (Path file : made) {
                assertTrue(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))
                        .endsWith("------"), file::toString);
            }
            return made.size();
        }
    }
}
