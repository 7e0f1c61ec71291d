package io.pageferry.agent.host.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.pageferry.agent.host.linux.Native.Call;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/** Listens as a service manager does: what services tell it. One thread. */
public final class NotifySocket implements AutoCloseable {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int MOST = 4096;

    private final int fd;

    /** At a path, or at an abstract name that begins with an @. */
    @SuppressWarnings("restricted")
    public NotifySocket(String name) throws IOException {
        fd = (int) Native.check(Native.call(Call.SOCKET, AF_UNIX,
                SOCK_DGRAM | Native.O_CLOEXEC | Native.O_NONBLOCK, 0), "socket", name);
        MethodHandle bind = Linker.nativeLinker().downcallHandle(
                Linker.nativeLinker().defaultLookup().findOrThrow("bind"),
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            byte[] path = name.getBytes(StandardCharsets.UTF_8);
            MemorySegment address = arena.allocate(Short.BYTES + path.length, Short.BYTES);
            address.set(JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(path, 0, address, JAVA_BYTE, Short.BYTES, path.length);
            if (path[0] == '@') {
                address.set(JAVA_BYTE, Short.BYTES, (byte) 0);
            }
            if ((int) bind.invokeExact(fd, address, (int) address.byteSize()) != 0) {
                throw new IOException("cannot bind " + name);
            }
        } catch (IOException e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** Returns what was told and not read yet; empty where there is nothing. */
    public String poll() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(MOST);
            long length = Native.call(Call.READ, fd, text.address(), MOST);
            return length <= 0 ? "" : new String(text.asSlice(0, length).toArray(JAVA_BYTE),
                    StandardCharsets.UTF_8);
        }
    }

    @Override
    public void close() {
        Native.close(fd);
    }
}
