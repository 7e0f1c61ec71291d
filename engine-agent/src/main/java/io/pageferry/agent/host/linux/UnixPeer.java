package io.pageferry.agent.host.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.pageferry.agent.host.linux.Native.Call;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Finds the process behind a UNIX domain socket, by its path or its connection. Any thread. */
public final class UnixPeer {
    /**
     * One end of a connection.
     *
     * @param name path of this end, where its process listened there; else empty
     * @param peer inode of the other end
     */
    public record Connection(String name, long peer) {
    }

    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int SOL_SOCKET = 1;
    private static final int SO_PEERCRED = 17;
    /** struct sockaddr_un: family, then the path with its NUL. */
    private static final int PATH_BYTES = 108;
    /** struct ucred: pid, uid, gid. */
    private static final int UCRED_BYTES = 12;
    private static final String SOCKET = "socket:[";

    // linux/netlink.h, linux/sock_diag.h, linux/unix_diag.h
    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW = 3;
    private static final int NETLINK_SOCK_DIAG = 4;
    private static final int SOCK_DIAG_BY_FAMILY = 20;
    private static final int NLM_F_REQUEST = 1;
    /** struct nlmsghdr and struct unix_diag_req. */
    private static final int REQUEST_BYTES = 16 + 24;
    private static final int ALL_STATES = -1;
    private static final int SHOW_NAME_AND_PEER = 1 | 4;
    /** struct nlmsghdr and struct unix_diag_msg; attributes follow. */
    private static final int ANSWER_BYTES = 16 + 16;
    private static final int ANSWER_LIMIT = 8192;
    private static final int UNIX_DIAG_NAME = 0;
    private static final int UNIX_DIAG_PEER = 2;

    private UnixPeer() {
    }

    /**
     * Finds the process that listens. Connects for a moment and asks for the peer; where that does
     * not answer (a full queue, no permission), looks for the holder of the listening socket.
     *
     * <p>Wrong in one case: where another process opened the socket and passed it on, as libvirt
     * does, the answer of the connection is that process.
     *
     * @param socket path of a listening socket
     * @return process id as seen from this process's pid namespace
     * @throws IOException when no process listens there, or it cannot be found
     */
    public static long pid(Path socket) throws IOException {
        try {
            long pid = byConnecting(socket);
            if (pid > 0) { // 0: a process outside of our pid namespace
                return pid;
            }
        } catch (LinuxException e) {
            return byHolder(socket, e);
        }
        return byHolder(socket, null);
    }

    static long byConnecting(Path socket) throws LinuxException {
        String name = socket.toString();
        long type = SOCK_STREAM | SOCK_NONBLOCK | Native.O_CLOEXEC;
        long fd = Native.check(Native.call(Call.SOCKET, AF_UNIX, type, 0), "socket", name);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = address(socket, arena);
            Native.check(Native.call(Call.CONNECT, fd, address.address(), address.byteSize()),
                    "connect", name);
            MemorySegment peer = arena.allocate(UCRED_BYTES, Integer.BYTES);
            MemorySegment length = arena.allocateFrom(JAVA_INT, UCRED_BYTES);
            Native.check(Native.call(Call.GETSOCKOPT, fd, SOL_SOCKET, SO_PEERCRED,
                    peer.address(), length.address()), "getsockopt(SO_PEERCRED)", name);
            return peer.get(JAVA_INT, 0);
        } finally {
            Native.close((int) fd);
        }
    }

    private static MemorySegment address(Path socket, Arena arena) {
        byte[] path = socket.toString().getBytes(StandardCharsets.UTF_8);
        if (path.length >= PATH_BYTES) {
            throw new IllegalArgumentException(
                    "socket path of " + path.length + " bytes, more than 107: " + socket);
        }
        MemorySegment address = arena.allocate(Short.BYTES + PATH_BYTES, Short.BYTES);
        address.set(JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(path, 0, address, JAVA_BYTE, Short.BYTES, path.length);
        return address;
    }

    private static long byHolder(Path socket, LinuxException reason) throws IOException {
        List<Long> holders = holders(socket);
        if (holders.isEmpty()) {
            throw new IOException(socket + ": no process that listens there was found; is it the "
                    + "right path, and may this user look at that process?", reason);
        }
        return holders.getFirst();
    }

    /**
     * Returns whether somebody listens at a path, without a connection: the file of a socket is
     * there a moment earlier.
     *
     * @param socket its path, as whoever listens named it
     * @return whether connections are taken there
     * @throws IOException when the kernel's list cannot be read
     */
    public static boolean isListening(Path socket) throws IOException {
        return !listening(sockets(), socket.toString()).isEmpty();
    }

    private static String sockets() throws IOException {
        return Files.readString(Path.of("/proc/net/unix"), StandardCharsets.ISO_8859_1);
    }

    /** All processes that hold a listening socket of that path, ascending. */
    static List<Long> holders(Path socket) throws IOException {
        List<Long> holders = new ArrayList<>();
        for (String inode : listening(sockets(), socket.toString())) {
            holders.addAll(ProcessMaps.holdersOf("socket:[" + inode + "]"));
        }
        return holders;
    }

    /** The inodes of the sockets that listen at a path; each byte of the text is a character. */
    static List<String> listening(String text, String path) {
        String bytes = new String(path.getBytes(StandardCharsets.UTF_8),
                StandardCharsets.ISO_8859_1);
        // Num RefCount Protocol Flags Type St Inode Path; flag 00010000 is a listening socket
        return text.lines().map(line -> line.split(" +", 8))
                .filter(field -> field.length == 8 && field[7].equals(bytes)
                        && field[3].equals("00010000"))
                .map(field -> field[6]).toList();
    }

    /**
     * Lists the sockets that a process has open, of whatever kind.
     *
     * @param pid a process that may be looked at
     * @return their inodes
     * @throws IOException when there is no such process, or it may not be looked at
     */
    public static Set<Long> sockets(long pid) throws IOException {
        Set<Long> inodes = new TreeSet<>();
        for (String target : ProcessMaps.links(pid)) {
            if (target.startsWith(SOCKET)) {
                inodes.add(Long.parseLong(target.substring(SOCKET.length(),
                        target.length() - 1)));
            }
        }
        return inodes;
    }

    /**
     * Asks the kernel where the connected UNIX sockets of a process lead: who holds the other end
     * has {@link Connection#peer} among its {@link #sockets}. No number of a process is used, so it
     * does not matter who opened a socket and passed it on.
     *
     * @param pid a process that may be looked at, in this network namespace
     * @return its connections
     * @throws IOException when the process or the kernel (CONFIG_UNIX_DIAG) does not show it
     */
    public static List<Connection> connections(long pid) throws IOException {
        List<Connection> connections = new ArrayList<>();
        long fd = Native.check(Native.call(Call.SOCKET, AF_NETLINK, SOCK_RAW | Native.O_CLOEXEC
                | SOCK_NONBLOCK, NETLINK_SOCK_DIAG), "socket", "asking for UNIX sockets");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(ANSWER_LIMIT, Integer.BYTES);
            for (Long inode : sockets(pid)) {
                ask(fd, request(inode, arena));
                long length = Native.check(Native.call(Call.READ, fd, answer.address(),
                        ANSWER_LIMIT), "read", "an answer about UNIX sockets");
                connections.addAll(connection(answer.asSlice(0, length)));
            }
        } finally {
            Native.close((int) fd);
        }
        return connections;
    }

    private static void ask(long fd, MemorySegment request) throws LinuxException {
        Native.check(Native.call(Call.WRITE, fd, request.address(), REQUEST_BYTES), "write",
                "a question about UNIX sockets");
    }

    private static MemorySegment request(long inode, Arena arena) {
        MemorySegment request = arena.allocate(REQUEST_BYTES, Integer.BYTES);
        request.set(JAVA_INT, 0, REQUEST_BYTES);
        request.set(JAVA_SHORT, 4, (short) SOCK_DIAG_BY_FAMILY);
        request.set(JAVA_SHORT, 6, (short) NLM_F_REQUEST);
        request.set(JAVA_BYTE, 16, (byte) AF_UNIX);
        request.set(JAVA_INT, 20, ALL_STATES);
        request.set(JAVA_INT, 24, (int) inode);
        request.set(JAVA_INT, 28, SHOW_NAME_AND_PEER);
        request.set(JAVA_INT, 32, -1); // no cookie, in two words
        request.set(JAVA_INT, 36, -1);
        return request;
    }

    /** None of an answer that is an error (no UNIX socket), or of a socket without a peer. */
    static List<Connection> connection(MemorySegment answer) {
        if (answer.byteSize() < ANSWER_BYTES
                || answer.get(JAVA_SHORT, 4) != SOCK_DIAG_BY_FAMILY) {
            return List.of();
        }
        String name = "";
        long peer = 0;
        long at = ANSWER_BYTES;
        while (at + Integer.BYTES <= answer.byteSize()) {
            // struct rtattr: length with itself, type, data; the next begins at a multiple of 4.
            int length = answer.get(JAVA_SHORT, at) & 0xffff;
            if (length < Integer.BYTES || at + length > answer.byteSize()) {
                break;
            }
            MemorySegment data = answer.asSlice(at + Integer.BYTES, length - Integer.BYTES);
            switch (answer.get(JAVA_SHORT, at + Short.BYTES)) {
                case UNIX_DIAG_NAME -> name = new String(data.toArray(JAVA_BYTE),
                        StandardCharsets.UTF_8).replace("\0", "");
                case UNIX_DIAG_PEER -> peer = data.byteSize() < Integer.BYTES ? 0
                        : Integer.toUnsignedLong(data.get(JAVA_INT_UNALIGNED, 0));
                default -> { }
            }
            at += length + 3 & ~3;
        }
        return peer == 0 ? List.of() : List.of(new Connection(name, peer));
    }
}
