package io.pageferry.agent.host.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
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

/** Finds the process behind a UNIX domain socket that has a path. Any thread. */
public final class UnixPeer {
    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_NONBLOCK = 0x800;
    private static final int SOL_SOCKET = 1;
    private static final int SO_PEERCRED = 17;
    /** struct sockaddr_un: family, then the path with its NUL. */
    private static final int PATH_BYTES = 108;
    /** struct ucred: pid, uid, gid. */
    private static final int UCRED_BYTES = 12;

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

    /** All processes that hold a listening socket of that path, ascending. */
    static List<Long> holders(Path socket) throws IOException {
        List<Long> holders = new ArrayList<>();
        for (String inode : listening(Files.readString(Path.of("/proc/net/unix"),
                StandardCharsets.ISO_8859_1), socket.toString())) {
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
}
