package io.pageferry.agent.host.machine.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.host.linux.PeerUser;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Addresses and routes of a network namespace, off and back. */
class MovedAddressesTest {
    @TempDir
    private Path folder;

    private NetNamespace network;

    @BeforeEach
    void network() throws IOException {
        network = NetNamespace.make();
        network.ip("address", "add", "10.1.0.5/24", "broadcast", "+", "dev", "d0");
        network.ip("address", "add", "10.1.0.6/24", "dev", "d0");
        network.ip("address", "add", "10.2.0.5/24", "dev", "d0");
        network.ip("address", "add", "fd01::5/64", "dev", "d0", "nodad");
        network.ip("route", "add", "default", "via", "10.1.0.1", "dev", "d0");
        network.ip("-6", "route", "add", "default", "via", "fd01::1", "dev", "d0");
    }

    @AfterEach
    void end() throws IOException {
        if (network != null) {
            network.close();
        }
    }

    private MovedAddresses moved(String... used) {
        return new MovedAddresses(network.command(), folder.resolve("taken"),
                address -> Set.of(used).contains(address.getHostAddress()));
    }

    private List<String> state() throws IOException {
        return List.of(network.ip("-4", "-brief", "address", "show", "dev", "d0"),
                network.ip("-4", "route"), network.ip("-6", "route"),
                network.ip("-6", "-brief", "address", "show", "scope", "global"));
    }

    @Test
    void allAreOffAndComeBackWithTheirRoutes() throws IOException {
        List<String> before = state();
        MovedAddresses.Result result = moved().takeOff();
        assertEquals(List.of("d0 10.1.0.5/24", "d0 10.2.0.5/24", "d0 10.1.0.6/24",
                "d0 fd01::5/64"), result.off());
        assertEquals(List.of(), result.stay());
        assertFalse(state().toString().contains("10."), state()::toString);
        assertFalse(state().toString().contains("fd01::5"), state()::toString);
        // As who has only the folder does.
        moved().putBack();
        assertEquals(before, state());
        assertFalse(Files.exists(folder.resolve("taken")));
        moved().putBack();
        assertEquals(before, state());
    }

    /** The kernel takes the second address of a network with its first. */
    @Test
    void whatTheTargetIsHeardByStaysWithItsNetwork() throws IOException {
        MovedAddresses.Result result = moved("10.1.0.6").takeOff();
        assertEquals(List.of("d0 10.2.0.5/24", "d0 fd01::5/64"), result.off());
        assertEquals(List.of("d0 10.1.0.5/24", "d0 10.1.0.6/24"), result.stay());
        assertTrue(state().getFirst().contains("10.1.0.6/24"), state()::toString);
        moved().putBack();
    }

    @Test
    void whatCannotBeToldLeavesAllAsItWas() throws IOException {
        List<String> before = state();
        MovedAddresses blind = new MovedAddresses(network.command(), folder.resolve("taken"),
                address -> {
                    throw new IOException("nobody can tell");
                });
        assertThrows(IOException.class, blind::takeOff);
        assertEquals(before, state());
        assertFalse(Files.exists(folder.resolve("taken")));
        MovedAddresses nothing = new MovedAddresses(List.of("false"), folder.resolve("taken"),
                address -> false);
        assertThrows(IOException.class, nothing::takeOff);
    }

    @Test
    void aConnectionOfOursIsFoundByItsAddress() throws IOException {
        InetAddress other = InetAddress.getByName("127.0.0.77");
        assertFalse(PeerUser.isConnectedAt(other));
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
                Socket client = new Socket(server.getInetAddress(), server.getLocalPort(), other,
                        0)) {
            assertTrue(client.isConnected());
            assertTrue(PeerUser.isConnectedAt(other));
        }
    }
}
