package io.pageferry.agent.host.linux;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Tells whose a TCP socket on this host is that is connected to one of ours, by what the kernel
 * lists (proc_pid_net(5)), and which users are let in. Any thread; reads files of the kernel and
 * waits for nobody.
 */
public final class PeerUser {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final List<Path> SOCKETS =
            List.of(Path.of("/proc/self/net/tcp"), Path.of("/proc/self/net/tcp6"));
    private static final String ESTABLISHED = "01";
    private static final int ROOT = 0;
    private static final int EFFECTIVE = 2;

    private static final boolean LITTLE = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    /** Stands before an address of IPv4 in the list of IPv6. */
    private static final String MAPPED =
            LITTLE ? "0000000000000000FFFF0000" : "00000000000000000000FFFF";

    private static final int LOCAL = 1;
    private static final int REMOTE = 2;
    private static final int STATE = 3;
    private static final int UID = 7;
    private static final int INODE = 9;

    /** The kernel's list is read in pieces, between which a row may move past the reader. */
    private static final int LOOKS = 2;

    private PeerUser() {
    }

    /**
     * Looks at a peer on loopback, which must be this process's user or root. Of others nothing is
     * known here, and nothing is objected.
     *
     * @param peer the peer's end
     * @param ours our end
     * @return why it is not let in, one line; empty where it is
     */
    public static Optional<String> objection(InetSocketAddress peer, InetSocketAddress ours) {
        if (!peer.getAddress().isLoopbackAddress()) {
            return Optional.empty();
        }
        try {
            OptionalLong user = of(peer, ours);
            if (user.isEmpty()) {
                return Optional.of("its socket is closed already, so that nobody can tell which"
                        + " user's it was: keep it open until it is answered");
            }
            return objection(user.getAsLong());
        } catch (IOException e) {
            return unknown(e);
        }
    }

    /**
     * Looks at a peer whose user is known, and must be this process's or root.
     *
     * @param peer its user's number
     * @return why it is not let in, one line; empty where it is
     */
    public static Optional<String> objection(long peer) {
        try {
            return peer == ROOT || peer == own() ? Optional.empty()
                    : Optional.of("user " + peer + " of this host is neither root nor the user of"
                            + " the agent that it speaks to: run both as one user, or use TLS or"
                            + " --token-file");
        } catch (IOException e) {
            return unknown(e);
        }
    }

    private static Optional<String> unknown(IOException e) {
        return Optional.of("which user's it is cannot be told (" + e.getMessage() + ")");
    }

    /**
     * Finds the user of a connected socket. One that is closing has neither user nor inode in the
     * kernel's list, where 0 would be read as root: it counts as not found.
     *
     * @param peer its own address
     * @param ours the address that it is connected to
     * @return the user's number in this user namespace; empty where there is no such socket
     * @throws IOException when the list cannot be read
     */
    static OptionalLong of(InetSocketAddress peer, InetSocketAddress ours) throws IOException {
        for (int look = 0; look < LOOKS; look++) {
            for (Path list : SOCKETS) {
                OptionalLong user = findIn(list, key(peer), key(ours));
                if (user.isPresent()) {
                    return user;
                }
            }
        }
        return OptionalLong.empty();
    }

    /**
     * Returns whether a connection of this process ends at an address of this host.
     *
     * @param address any
     * @return false where nothing of ours would be lost with it
     * @throws IOException when the list cannot be read
     */
    public static boolean isConnectedAt(InetAddress address) throws IOException {
        List<String> own = ProcessMaps.links(ProcessHandle.current().pid());
        String ours = key(new InetSocketAddress(address, 0)).split(":")[0] + ":";
        for (Path list : SOCKETS) {
            for (String row : Files.exists(list)
                    ? Files.readAllLines(list, StandardCharsets.US_ASCII) : List.<String>of()) {
                String[] field = row.strip().split(" +");
                if (field.length > INODE && field[STATE].equals(ESTABLISHED)
                        && canonical(field[LOCAL]).startsWith(ours)
                        && own.contains("socket:[" + field[INODE] + "]")) {
                    return true;
                }
            }
        }
        return false;
    }

    private static OptionalLong findIn(Path list, String local, String remote) throws IOException {
        if (!Files.exists(list)) {
            // A kernel without IPv6 has one list.
            return OptionalLong.empty();
        }
        try (BufferedReader rows = Files.newBufferedReader(list, StandardCharsets.US_ASCII)) {
            return find(rows, local, remote);
        }
    }

    static OptionalLong find(BufferedReader rows, String local, String remote)
            throws IOException {
        for (String row = rows.readLine(); row != null; row = rows.readLine()) {
            String[] field = row.strip().split(" +");
            if (field.length > INODE && field[STATE].equals(ESTABLISHED)
                    && !field[INODE].equals("0") && canonical(field[LOCAL]).equals(local)
                    && canonical(field[REMOTE]).equals(remote)) {
                return OptionalLong.of(ProcText.parse("a user of a socket", field[UID],
                        Long::parseLong));
            }
        }
        return OptionalLong.empty();
    }

    /** As the kernel writes it: words of 4 bytes in the host's order, then the port. */
    static String key(InetSocketAddress address) {
        byte[] bytes = address.getAddress().getAddress();
        ByteBuffer words = ByteBuffer.wrap(bytes);
        StringBuilder key = new StringBuilder();
        while (words.hasRemaining()) {
            int word = words.getInt();
            key.append(String.format("%08X", LITTLE ? Integer.reverseBytes(word) : word));
        }
        return key.append(String.format(":%04X", address.getPort())).toString();
    }

    /** Java's sockets are in the list of IPv6, with addresses of IPv4 too. */
    private static String canonical(String address) {
        return address.startsWith(MAPPED)
                ? address.substring(MAPPED.length()) : address;
    }

    private static long own() throws IOException {
        return Processes.user(Files.readString(STATUS, StandardCharsets.ISO_8859_1), EFFECTIVE);
    }
}
