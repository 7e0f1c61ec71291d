package io.pageferry.agent.host.linux.process;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Native.Call;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Tells the service manager how this service stands, as sd_notify(3) does: one datagram to the unix
 * socket that it named, a file or (with an @) an abstract one. It is not waited for: one that reads
 * nothing holds up no move. Any thread.
 */
public final class ServiceManager {
    private static final String SOCKET = "NOTIFY_SOCKET";
    private static final String WATCHDOG = "WATCHDOG_USEC";
    private static final String WATCHED = "WATCHDOG_PID";
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int PATH_BYTES = 108;
    private static final long MICRO = 1000;

    private final String socket;
    private final Optional<Duration> watchdog;

    private ServiceManager(String socket, Optional<Duration> watchdog) {
        this.socket = socket;
        this.watchdog = watchdog;
    }

    /**
     * Finds the service manager.
     *
     * @param environment of this process
     * @return it; one that is told nothing, where none started this process
     */
    public static ServiceManager of(Map<String, String> environment) {
        String pid = environment.get(WATCHED);
        boolean ours = pid == null || pid.equals(Long.toString(ProcessHandle.current().pid()));
        Optional<Duration> watchdog = ours ? Optional.ofNullable(environment.get(WATCHDOG))
                .filter(text -> text.matches("[1-9]\\d{0,15}"))
                .map(text -> Duration.ofNanos(Long.parseLong(text) * MICRO)) : Optional.empty();
        return new ServiceManager(environment.getOrDefault(SOCKET, ""), watchdog);
    }

    /** {@return how long it waits at most for a {@code WATCHDOG=1}; empty where it does not} */
    public Optional<Duration> watchdog() {
        return watchdog;
    }

    /**
     * Tells it something, as far as it can be told.
     *
     * @param state lines as {@code READY=1}, {@code STATUS=…}, {@code STOPPING=1}
     * @param words gets one line for people where it cannot
     */
    public void tell(String state, Consumer<String> words) {
        try {
            tell(state);
        } catch (IOException e) {
            words.accept("warning  the service manager cannot be told: " + e.getMessage());
        }
    }

    /**
     * Tells it something.
     *
     * @param state as above
     * @throws IOException where it cannot be told
     */
    public void tell(String state) throws IOException {
        if (socket.isEmpty()) {
            return;
        }
        byte[] path = socket.getBytes(StandardCharsets.UTF_8);
        if (path.length >= PATH_BYTES || path[0] != '/' && path[0] != '@') {
            throw new IOException(SOCKET + "=" + socket + " names no socket");
        }
        int fd = (int) Native.check(Native.call(Call.SOCKET, AF_UNIX,
                SOCK_DGRAM | Native.O_CLOEXEC | Native.O_NONBLOCK, 0), "socket", socket);
        try (Arena arena = Arena.ofConfined()) {
            // Of an abstract name every byte counts, so its length ends with it.
            MemorySegment address = arena.allocate(Short.BYTES + path.length, Short.BYTES);
            address.set(JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(path, 0, address, JAVA_BYTE, Short.BYTES, path.length);
            if (path[0] == '@') {
                address.set(JAVA_BYTE, Short.BYTES, (byte) 0);
            }
            Native.check(Native.call(Call.CONNECT, fd, address.address(), address.byteSize()),
                    "connect", socket);
            byte[] words = state.getBytes(StandardCharsets.UTF_8);
            MemorySegment text = arena.allocate(words.length);
            MemorySegment.copy(words, 0, text, JAVA_BYTE, 0, words.length);
            Native.check(Native.call(Call.WRITE, fd, text.address(), words.length), "write",
                    socket);
        } finally {
            Native.close(fd);
        }
    }
}
