package io.pageferry.agent.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.Processes.Signal;
import io.pageferry.agent.state.journal.FileJournal;
import io.pageferry.agent.state.journal.JournalHeader;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.Outcome.Side;
import io.pageferry.core.testing.Samples;
import io.pageferry.transport.netty.TransportOptions;
import io.pageferry.transport.netty.link.TransportClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What strangers say to a running {@code receive} does not cost it its locks. A process that closes
 * any descriptor of a file loses the locks that it has on it, and nobody tells it so.
 */
class LocksHoldTest extends WithRig {
    private static final UUID OLD = new UUID(3, 4);
    private static final int GARBAGE = 4096;

    private Path image;
    private Agent target;
    private Agent source;
    private StateDirectory directory;
    private FileJournal live;
    private List<Path> locks;

    /** Pre-copy takes a minute, in which the target has its journal, and an older one is left. */
    @BeforeEach
    void begin() throws IOException {
        image = folder.resolve("image");
        target = receive("image:" + image);
        source = migrate("workload:8MiB?rate=0&fill=random", target.address(), "--bandwidth",
                "1Mbit/s", "--codec", "none", "--max-downtime", "1ms", "--state-dir",
                folder.resolve("source").toString());
        source.awaitState("precopy");
        directory = StateDirectory.open(rig.state());
        // It comes with the first page.
        Poll.until(() -> journal().isPresent(), () -> "the target has no journal");
        live = journal().orElseThrow();
        directory.create(new JournalHeader(JournalHeader.SCHEMA, OLD, Side.TARGET,
                "image:" + image, "", 0, live.header().recoveryAddress())).close();
        locks = List.of(Path.of(live.path() + ".lock"),
                KernelLocks.ofGuest(target.pid(), folder.resolve("tmp")));
        assertLocksHold("the start");
    }

    private Optional<FileJournal> journal() throws IOException {
        return directory.all(line -> { }).stream()
                .filter(one -> one.header().side() == Side.TARGET).findFirst();
    }

    /** Until it is granted it has another name. */
    private boolean isBeingFilled() throws IOException {
        try (Stream<Path> beside = Files.list(folder)) {
            return beside.anyMatch(one -> one.getFileName().toString().startsWith("image.part-"));
        }
    }

    private void assertLocksHold(Object after) throws IOException {
        for (Path lock : locks) {
            KernelLocks.assertHeld(target.pid(), lock, after);
        }
        Poll.until(this::isBeingFilled, () -> "no image after " + after);
    }

    @Test
    void whateverAStrangerSaysTheLocksStay() throws IOException {
        try (TransportClient client = new TransportClient(
                TransportOptions.defaults(SystemNanoClock.INSTANCE))) {
            for (UUID migration : List.of(live.header().migration(), OLD, new UUID(5, 6))) {
                for (Message message : Samples.all(migration, 1)) {
                    Caller.ask(client, target, message);
                    assertLocksHold(message);
                }
            }
        }
        for (byte[] bytes : List.of(new byte[0], new byte[] {1}, new byte[GARBAGE],
                "GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII))) {
            speak(bytes, true);
            assertLocksHold(bytes.length + " bytes");
            speak(bytes, false);
            assertLocksHold(bytes.length + " bytes and a reset");
        }
        source.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", source);
        E2e.assertEnds(4, "failed", target);
        assertTrue(Files.notExists(image));
        rig.awaitNothingLeft();
    }

    @Test
    void aSecondReceiverOfOneStateDirectoryTakesNothingOver() throws IOException {
        Agent same = rig.start("", List.of("receive", "image:" + image, "--listen", "127.0.0.1:0",
                "--once"));
        E2e.assertEnds(3, "refused", same);
        assertEquals("busy", same.report().at("/error/code").asText());
        assertLocksHold("a second receiver of the guest");
        Agent other = receive("image:" + folder.resolve("other"));
        try (TransportClient client = new TransportClient(
                TransportOptions.defaults(SystemNanoClock.INSTANCE))) {
            Message.Status asked = new Message.Status(live.header().migration(), 1);
            // Their own agent is asked first: what it answers must not open the way for the other.
            assertInstanceOf(Message.StatusUnknown.class, Caller.ask(client, target, asked));
            assertInstanceOf(Message.StatusUnknown.class, Caller.ask(client, other, asked));
        }
        assertLocksHold("what the other receiver was asked");
        Agent settle = rig.start("", List.of("settle", live.header().migration().toString()));
        assertEquals(3, settle.exit(), settle::toString);
        assertTrue(settle.words().contains("is being worked on"), settle::toString);
        assertLocksHold("settle");
        other.signal(Signal.TERM);
        E2e.assertEnds(7, "cancelled", other);
    }

    private void speak(byte[] bytes, boolean politely) throws IOException {
        InetSocketAddress address = Caller.address(target);
        try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
            socket.getOutputStream().write(bytes);
            socket.setSoLinger(!politely, 0);
        }
    }
}
