package io.pageferry.agent.host.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whose a socket on this host is. */
class PeerUserTest {
    private static final int NOBODY = 65534;
    /** Of nobody on any host that this is tested on. */
    private static final int OTHER = 3_999_999;

    private static InetSocketAddress peer(Socket accepted) {
        return (InetSocketAddress) accepted.getRemoteSocketAddress();
    }

    private static InetSocketAddress ours(Socket accepted) {
        return (InetSocketAddress) accepted.getLocalSocketAddress();
    }

    private static ServerSocket listen(InetAddress address) {
        try {
            return new ServerSocket(0, 5, address);
        } catch (IOException e) {
            return Assumptions.abort(address + ": " + e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.0.0.2", "::1"})
    void ourOwnIsLetIn(String address) throws Exception {
        try (ServerSocket server = listen(InetAddress.ofLiteral(address));
                Socket source = new Socket(server.getInetAddress(), server.getLocalPort());
                Socket accepted = server.accept()) {
            int own = (Integer) Files.getAttribute(Files.createTempFile("own", ""), "unix:uid");
            assertEquals(OptionalLong.of(own), PeerUser.of(peer(accepted), ours(accepted)));
            assertEquals(Optional.empty(), PeerUser.objection(peer(accepted), ours(accepted)));
            assertTrue(source.isConnected());
        }
    }

    /** The kernel says user 0 of it, whoever it was. */
    @Test
    void oneThatClosesIsNobodys() throws Exception {
        try (ServerSocket server = listen(InetAddress.getLoopbackAddress())) {
            Socket source = new Socket(server.getInetAddress(), server.getLocalPort());
            try (Socket accepted = server.accept()) {
                source.getOutputStream().write(1);
                source.close();
                assertEquals(1, accepted.getInputStream().read());
                assertEquals(-1, accepted.getInputStream().read());
                assertEquals(OptionalLong.empty(),
                        PeerUser.of(peer(accepted), ours(accepted)));
                String why = PeerUser.objection(peer(accepted), ours(accepted)).orElseThrow();
                assertTrue(why.contains("is closed already"), why);
            }
        }
    }

    @Test
    void ofAUnixSocketTheUserIsKnown() throws Exception {
        Path file = Files.createTempFile("own", "");
        int own = (Integer) Files.getAttribute(file, "unix:uid");
        Files.delete(file);
        assertEquals(Optional.empty(), PeerUser.objection(own));
        assertEquals(Optional.empty(), PeerUser.objection(0));
        String why = PeerUser.objection(OTHER).orElseThrow();
        assertTrue(why.contains("user " + OTHER + " of this host is neither root"), why);
    }

    @Test
    void anotherUsersIsRefused() throws Exception {
        Assumptions.assumeTrue(System.getProperty("user.name").equals("root")
                && Files.isExecutable(Path.of("/usr/bin/setpriv"))
                && Files.isExecutable(Path.of("/bin/bash")),
                "root, setpriv and bash are wanted");
        try (ServerSocket server = listen(InetAddress.ofLiteral("127.0.0.1"))) {
            Process other = new ProcessBuilder("setpriv", "--reuid=" + NOBODY, "--clear-groups",
                    "/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/" + server.getLocalPort()
                            + "; read -u 3 line").start();
            try (Socket accepted = server.accept()) {
                assertEquals(OptionalLong.of(NOBODY),
                        PeerUser.of(peer(accepted), ours(accepted)));
                String why = PeerUser.objection(peer(accepted), ours(accepted)).orElseThrow();
                assertTrue(why.contains("user 65534 of this host is neither root"), why);
            } finally {
                other.destroyForcibly();
            }
        }
    }

    /** The operator said so, or there is TLS. */
    @Test
    void ofOtherHostsNothingIsAsked() throws Exception {
        assertEquals(Optional.empty(), PeerUser.objection(
                new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), 1),
                new InetSocketAddress(InetAddress.ofLiteral("192.0.2.2"), 2)));
    }
}
