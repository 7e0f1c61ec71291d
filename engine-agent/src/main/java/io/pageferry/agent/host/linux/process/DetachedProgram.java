package io.pageferry.agent.host.linux.process;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Native.Call;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Starts a program that lives on without this process: in a session of its own, with no descriptor
 * of this process but {@code /dev/null} and a file for its words. No shell reads its arguments, and
 * each of their bytes arrives, which {@link ProcessBuilder} does not promise (posix_spawn(3); glibc
 * 2.34 or newer). It is a child of this process as long as that lives: {@link #reap}. Any thread.
 */
public final class DetachedProgram {
    // spawn.h, fcntl.h
    private static final short SET_MASK = 0x08;
    private static final short SET_DEFAULTS = 0x04;
    private static final short SET_SESSION = 0x80;
    private static final int O_WRONLY_CREATE_APPEND = 0x1 | 0x40 | 0x400;
    private static final int MODE = 0600;
    private static final int FIRST_OF_OURS = 3;
    private static final int WNOHANG = 1;
    /** More than sigset_t, posix_spawnattr_t and posix_spawn_file_actions_t have. */
    private static final long ROOM = 1024;

    private static final FunctionDescriptor OF_ONE = FunctionDescriptor.of(JAVA_INT, ADDRESS);
    private static final FunctionDescriptor OF_TWO =
            FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS);

    private DetachedProgram() {
    }

    /**
     * Starts a program.
     *
     * @param arguments   its path, absolute, and its arguments; without zero bytes
     * @param environment {@code NAME=value} each
     * @param words       path of the file that gets its stdout and stderr; made with mode 0600
     * @return its process id
     * @throws LinuxException when it cannot be started: ENOENT where there is no such program
     */
    public static long start(List<byte[]> arguments, List<byte[]> environment, byte[] words)
            throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment actions = arena.allocate(ROOM, Long.BYTES);
            MemorySegment attributes = arena.allocate(ROOM, Long.BYTES);
            call("posix_spawn_file_actions_init", OF_ONE, actions);
            call("posix_spawnattr_init", OF_ONE, attributes);
            try {
                redirect(actions, arena, words);
                detach(attributes, arena);
                MemorySegment pid = arena.allocate(JAVA_INT);
                MemorySegment vector = vector(arena, arguments);
                int error = call("posix_spawn", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS,
                        ADDRESS, ADDRESS, ADDRESS, ADDRESS), pid, vector.get(ADDRESS, 0),
                        actions, attributes, vector, vector(arena, environment));
                if (error != 0) {
                    throw new LinuxException("posix_spawn", error,
                            new String(arguments.getFirst(), StandardCharsets.UTF_8));
                }
                return pid.get(JAVA_INT, 0);
            } finally {
                call("posix_spawn_file_actions_destroy", OF_ONE, actions);
                call("posix_spawnattr_destroy", OF_ONE, attributes);
            }
        }
    }

    private static void redirect(MemorySegment actions, Arena arena, byte[] words) {
        FunctionDescriptor open = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ADDRESS,
                JAVA_INT, JAVA_INT);
        FunctionDescriptor copy = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
        call("posix_spawn_file_actions_addopen", open, actions, 0,
                arena.allocateFrom("/dev/null"), 0, 0);
        call("posix_spawn_file_actions_addopen", open, actions, 1, text(arena, words),
                O_WRONLY_CREATE_APPEND, MODE);
        call("posix_spawn_file_actions_adddup2", copy, actions, 1, 2);
        call("posix_spawn_file_actions_addclosefrom_np",
                FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT), actions, FIRST_OF_OURS);
    }

    /** A JVM's threads block signals, and it ignores some: a program begins without that. */
    private static void detach(MemorySegment attributes, Arena arena) {
        MemorySegment none = arena.allocate(ROOM, Long.BYTES);
        MemorySegment all = arena.allocate(ROOM, Long.BYTES);
        call("sigfillset", OF_ONE, all);
        call("posix_spawnattr_setsigmask", OF_TWO, attributes, none);
        call("posix_spawnattr_setsigdefault", OF_TWO, attributes, all);
        call("posix_spawnattr_setflags", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_SHORT),
                attributes, (short) (SET_MASK | SET_DEFAULTS | SET_SESSION));
    }

    private static MemorySegment text(Arena arena, byte[] bytes) {
        MemorySegment text = arena.allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, text, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return text;
    }

    /** Ends with a null pointer, as {@code argv} does. */
    private static MemorySegment vector(Arena arena, List<byte[]> texts) {
        MemorySegment vector = arena.allocate(
                MemoryLayout.sequenceLayout(texts.size() + 1L, ADDRESS));
        for (int i = 0; i < texts.size(); i++) {
            vector.setAtIndex(ADDRESS, i, text(arena, texts.get(i)));
        }
        return vector;
    }

    // As in Native: what a C function takes cannot be checked by the JVM.
    @SuppressWarnings("restricted")
    private static int call(String name, FunctionDescriptor shape, Object... arguments) {
        Linker linker = Linker.nativeLinker();
        MethodHandle handle = linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(
                () -> new UnsupportedOperationException("this libc has no " + name)), shape);
        try {
            return (int) handle.invokeWithArguments(arguments);
        } catch (Throwable t) {
            throw new AssertionError(name + " of libc cannot throw", t);
        }
    }

    /**
     * Takes notice of the end of a child that was started here, which is a zombie until then.
     *
     * @param pid its process id
     */
    public static void reap(long pid) {
        Native.call(Call.WAIT4, pid, 0, WNOHANG, 0);
    }
}
