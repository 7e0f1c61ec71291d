package io.pageferry.agent.host.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is at the other end. */
class UnixPeerTest {
    private static final long SELF = ProcessHandle.current().pid();

    @TempDir
    Path folder;

    @Test
    void bothEndsOfAConnectionAreFound() throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(folder.resolve("one"));
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(address);
            assertEquals(List.of(), named(address), "it listens only");
            try (SocketChannel client = SocketChannel.open(address);
                    SocketChannel accepted = server.accept()) {
                assertTrue(client.isConnected() && accepted.isConnected());
                UnixPeer.Connection end = named(address).getFirst();
                Set<Long> sockets = UnixPeer.sockets(SELF);
                assertTrue(sockets.contains(end.peer()), "it is the client's");
                // The client's own end has no name, and its peer is the accepted one.
                assertTrue(UnixPeer.connections(SELF).stream().anyMatch(one ->
                        one.name().isEmpty() && sockets.contains(one.peer())
                        && one.peer() != end.peer()));
            }
            assertEquals(List.of(), named(address), "it is closed");
        }
    }

    /** The file of a socket is there before anybody can connect. */
    @Test
    void aSocketThatIsOnlyBoundDoesNotListen() throws IOException {
        Path path = folder.resolve("bound");
        try (SocketChannel bound = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            bound.bind(UnixDomainSocketAddress.of(path));
            assertTrue(Files.exists(path));
            assertFalse(UnixPeer.isListening(path));
        }
        Files.delete(path);
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            assertTrue(UnixPeer.isListening(path));
        }
        assertFalse(UnixPeer.isListening(path), "it is closed");
    }

    private static List<UnixPeer.Connection> named(UnixDomainSocketAddress address)
            throws IOException {
        return UnixPeer.connections(SELF).stream()
                .filter(one -> one.name().equals(address.getPath().toString())).toList();
    }

    @Test
    void anotherProcessHoldsNoneOfThem() throws IOException {
        try (Stranger other = Stranger.start("sleep", "1000")) {
            UnixDomainSocketAddress address = UnixDomainSocketAddress.of(folder.resolve("two"));
            try (ServerSocketChannel server =
                    ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                server.bind(address);
                try (SocketChannel client = SocketChannel.open(address);
                        SocketChannel accepted = server.accept()) {
                    assertTrue(client.isConnected() && accepted.isConnected());
                    assertFalse(UnixPeer.sockets(other.pid())
                            .contains(named(address).getFirst().peer()));
                }
            }
        }
    }

    /** From the kernel, but of whatever version. */
    @Test
    void anAnswerOfAnyFormIsReadWithinItsBounds() {
        long seed = Requirements.seed();
        Random chance = new Random(seed);
        try (Arena arena = Arena.ofConfined()) {
            for (int trial = 0; trial < 10_000; trial++) {
                byte[] bytes = new byte[chance.nextInt(80)];
                chance.nextBytes(bytes);
                if (bytes.length > 5) {
                    bytes[4] = 20;
                    bytes[5] = 0;
                }
                MemorySegment answer = arena.allocate(Math.max(1, bytes.length), 4)
                        .asSlice(0, bytes.length);
                MemorySegment.copy(bytes, 0, answer, JAVA_BYTE, 0,
                        bytes.length);
                assertTrue(UnixPeer.connection(answer).size() <= 1, "seed " + seed);
            }
        }
    }
}
