package io.pageferry.agent.host.linux.kvm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.pageferry.agent.host.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The signal that brings a thread back from the guest. Its handler does nothing and is a function
 * of libc: an upcall into Java would run Java wherever the signal happens to arrive, which the JVM
 * does not survive. Process-wide, installed once and left there.
 */
final class InterruptSignal {
    /** A real-time signal that neither the JVM (SIGUSR2, the faults) nor glibc (32, 33) uses. */
    static final int NUMBER = 40;

    private static final int SIGACTION_BYTES = 152;
    private static final int EBUSY = 16;
    private static boolean installed;

    private InterruptSignal() {
    }

    /** Installs the handler; refuses to take the signal away from another handler. */
    static synchronized void install() throws LinuxException {
        if (installed) {
            return;
        }
        Linker linker = Linker.nativeLinker();
        MemorySegment harmless = linker.defaultLookup().findOrThrow("abs");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment before = arena.allocate(SIGACTION_BYTES, Long.BYTES);
            set(MemorySegment.NULL, before);
            if (before.get(ADDRESS, 0).address() != 0) {
                throw new LinuxException("sigaction", EBUSY,
                        "signal " + NUMBER + ", which this process uses for something else");
            }
            // No flags: without SA_RESTART the kernel leaves the guest.
            MemorySegment action = arena.allocate(SIGACTION_BYTES, Long.BYTES);
            action.set(ADDRESS, 0, harmless);
            set(action, MemorySegment.NULL);
        }
        installed = true;
    }

    // Binding a C function cannot be checked by the JVM: this descriptor is libc's own.
    @SuppressWarnings("restricted")
    private static void set(MemorySegment action, MemorySegment before) {
        Linker linker = Linker.nativeLinker();
        MethodHandle sigaction = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("sigaction"),
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
        int result;
        try {
            result = (int) sigaction.invokeExact(NUMBER, action, before);
        } catch (Throwable t) {
            throw new AssertionError("libc's sigaction cannot throw", t);
        }
        if (result != 0) {
            throw new AssertionError("signal " + NUMBER + " is a valid one");
        }
    }
}
