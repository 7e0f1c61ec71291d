package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Stranger;
import io.pageferry.agent.host.linux.UnixPeer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Disks in images, and exports of NBD servers, by the two commands. */
class FormatMoveTest extends WithRig {
    private static final List<String> FORMATS = List.of("qcow2", "vmdk", "vhdx", "vdi");
    private static final Path NBDKIT = Path.of("/usr/bin/nbdkit");

    @BeforeEach
    void needsQemu() {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-nbd")),
                "no qemu-nbd: apt install qemu-utils");
    }

    /** With what it takes from the command line to the end of the programs. */
    @Test
    void anImageMovesIntoAnImageThatIsMadeForIt() throws IOException {
        List<String> drawn = Draw.sample(FORMATS, FORMATS.size());
        String from = drawn.getFirst();
        String to = drawn.getLast();
        Path source = DiskContent.image(DiskContent.small(folder.resolve("raw")),
                folder.resolve("source." + from), from);
        Path target = folder.resolve("target." + to);
        Agent receiver = receive("disk:" + target + "?format=" + to);
        Agent sender = migrate("disk:" + source + "?format=" + from, receiver.address());
        E2e.assertMoved(sender, receiver);
        assertEquals("Images are identical.", DiskContent.compare(source, from, target, to));
        assertNoServers();
        rig.awaitNothingLeft();
    }

    /** No room any more. */
    @Test
    void anExportThatFailsEndsTheMoveInOneLine() throws IOException {
        Assumptions.assumeTrue(Files.isExecutable(NBDKIT), "no nbdkit: apt install nbdkit");
        Path source = DiskContent.small(folder.resolve("raw"));
        Path socket = folder.resolve("nbd");
        Path fails = folder.resolve("fails");
        try (Stranger server = Stranger.start(NBDKIT.toString(), "-f", "-U", socket.toString(),
                "--filter=error", "memory", Integer.toString(DiskContent.SMALL),
                "error-pwrite=ENOSPC", "error-pwrite-rate=1", "error-file=" + fails)) {
            Poll.until(() -> UnixPeer.isListening(socket), () -> "it does not listen");
            Agent receiver = receive("disk:nbd+unix:///?socket=" + socket);
            Files.createFile(fails);
            Agent sender = migrate("disk:" + source, receiver.address());
            E2e.assertEnds(4, "failed", sender);
            E2e.assertEnds(4, "failed", receiver);
            assertTrue(sender.report().at("/error/reason").asText().contains("ENOSPC"),
                    sender::toString);
            assertTrue(ProcessHandle.of(server.pid()).isPresent());
        }
    }

    /** Which of the programs has an image of this test. */
    private void assertNoServers() throws IOException {
        Poll.until(() -> servers().isEmpty(), () -> "qemu-nbd is left");
    }

    private List<Long> servers() {
        return ProcessHandle.allProcesses().filter(one -> one.info().commandLine().orElse("")
                .contains("\"filename\":\"" + folder)).map(ProcessHandle::pid).toList();
    }
}
