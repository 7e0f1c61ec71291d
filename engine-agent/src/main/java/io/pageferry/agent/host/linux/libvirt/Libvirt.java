package io.pageferry.agent.host.linux.libvirt;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.locks.LockSupport;

/**
 * The functions of {@code libvirt.so.0} and {@code libvirt-qemu.so.0} that are used here, with the
 * shapes of libvirt/libvirt-domain.h, -host.h, -event.h and -qemu.h. Each is a call to the daemon,
 * so a millisecond, and no place to save nanoseconds. Any thread; the last error is a thread's own.
 */
final class Libvirt {
    private static final String LIBRARY = "libvirt.so.0";
    private static final String OF_QEMU = "libvirt-qemu.so.0";
    /** Where code, origin and message are in a virError (libvirt/virterror.h). */
    private static final long ORIGIN_AT = 4;
    private static final long MESSAGE_AT = 8;
    private static final long ERROR_BYTES = 16;
    private static final long RETRY_NANOS = 100_000_000;
    private static boolean started;

    /** A function, with its result and its arguments. */
    enum Call {
        OPEN(LIBRARY, "virConnectOpen", ADDRESS, ADDRESS),
        CLOSE(LIBRARY, "virConnectClose", JAVA_INT, ADDRESS),
        KEEP_ALIVE(LIBRARY, "virConnectSetKeepAlive", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
        IS_ALIVE(LIBRARY, "virConnectIsAlive", JAVA_INT, ADDRESS),
        CAPABILITIES(LIBRARY, "virConnectGetDomainCapabilities", ADDRESS, ADDRESS, ADDRESS,
                ADDRESS, ADDRESS, ADDRESS, JAVA_INT),
        TO_NATIVE(LIBRARY, "virConnectDomainXMLToNative", ADDRESS, ADDRESS, ADDRESS, ADDRESS,
                JAVA_INT),
        RESTORE(LIBRARY, "virDomainRestoreFlags", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_INT),
        DEFINE(LIBRARY, "virDomainDefineXML", ADDRESS, ADDRESS, ADDRESS),
        LOOKUP(LIBRARY, "virDomainLookupByName", ADDRESS, ADDRESS, ADDRESS),
        FREE(LIBRARY, "virDomainFree", JAVA_INT, ADDRESS),
        IS_ACTIVE(LIBRARY, "virDomainIsActive", JAVA_INT, ADDRESS),
        STATE(LIBRARY, "virDomainGetState", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_INT),
        XML(LIBRARY, "virDomainGetXMLDesc", ADDRESS, ADDRESS, JAVA_INT),
        RESUME(LIBRARY, "virDomainResume", JAVA_INT, ADDRESS),
        DESTROY(LIBRARY, "virDomainDestroy", JAVA_INT, ADDRESS),
        IS_PERSISTENT(LIBRARY, "virDomainIsPersistent", JAVA_INT, ADDRESS),
        UNDEFINE(LIBRARY, "virDomainUndefineFlags", JAVA_INT, ADDRESS, JAVA_INT),
        LAST_ERROR(LIBRARY, "virGetLastError", ADDRESS),
        ERROR_FUNCTION(LIBRARY, "virSetErrorFunc", null, ADDRESS, ADDRESS),
        EVENTS(LIBRARY, "virEventRegisterDefaultImpl", JAVA_INT),
        RUN_EVENTS(LIBRARY, "virEventRunDefaultImpl", JAVA_INT),
        MONITOR(OF_QEMU, "virDomainQemuMonitorCommand", JAVA_INT, ADDRESS, ADDRESS, ADDRESS,
                JAVA_INT),
        MONITOR_EVENTS(OF_QEMU, "virConnectDomainQemuMonitorEventRegister", JAVA_INT, ADDRESS,
                ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_INT),
        NO_MONITOR_EVENTS(OF_QEMU, "virConnectDomainQemuMonitorEventDeregister", JAVA_INT,
                ADDRESS, JAVA_INT);

        private final String library;
        private final String symbol;
        private final FunctionDescriptor shape;
        private MethodHandle handle;

        Call(String library, String symbol, ValueLayout result, MemoryLayout... arguments) {
            this.library = library;
            this.symbol = symbol;
            this.shape = result == null ? FunctionDescriptor.ofVoid(arguments)
                    : FunctionDescriptor.of(result, arguments);
        }

        // Binding a C function cannot be checked by the JVM: the shapes are the headers'.
        @SuppressWarnings("restricted")
        private synchronized MethodHandle handle() {
            if (handle == null) {
                SymbolLookup found = SymbolLookup.libraryLookup(library, Arena.global());
                handle = Linker.nativeLinker().downcallHandle(found.findOrThrow(symbol), shape);
            }
            return handle;
        }

        private Object invoke(Object... arguments) {
            try {
                return handle().invokeWithArguments(arguments);
            } catch (IllegalArgumentException e) {
                throw e; // the library is not there
            } catch (Throwable t) {
                throw new AssertionError("a function of C cannot throw", t);
            }
        }

        /** Returns a number that is not negative. */
        int number(Object... arguments) throws LibvirtException {
            int result = (int) invoke(arguments);
            if (result < 0) {
                throw lastError(symbol);
            }
            return result;
        }

        /** Returns a pointer that is not null. */
        MemorySegment pointer(Object... arguments) throws LibvirtException {
            MemorySegment result = (MemorySegment) invoke(arguments);
            if (result.address() == 0) {
                throw lastError(symbol);
            }
            return result;
        }

        /** Returns a text, whose memory is given back. */
        String text(Object... arguments) throws LibvirtException {
            return take(pointer(arguments));
        }
    }

    private Libvirt() {
    }

    /**
     * Begins to serve events, once in this process, on a thread of its own: without it neither
     * events come nor is the end of the daemon noticed.
     *
     * @throws LibvirtException where the library is not there, or does not let it
     */
    static synchronized void start() throws LibvirtException {
        if (started) {
            return;
        }
        try {
            // It would print each error to the terminal.
            Call.ERROR_FUNCTION.invoke(MemorySegment.NULL, silence());
        } catch (IllegalArgumentException e) {
            throw new LibvirtException(0, 0, "this host has no " + LIBRARY + " and " + OF_QEMU);
        }
        Call.EVENTS.number();
        Thread.ofPlatform().daemon().name("libvirt events").start(Libvirt::runEvents);
        started = true;
    }

    private static void runEvents() {
        while (true) {
            if ((int) Call.RUN_EVENTS.invoke() < 0) {
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }

    private static MemorySegment silence() {
        return upcall(Libvirt.class, "onError", FunctionDescriptor.ofVoid(ADDRESS, ADDRESS));
    }

    private static void onError(Object... error) {
        // Who called asks for it.
    }

    /**
     * Makes a static method of a class of this room, which takes an array of its arguments, a
     * function that C may call for ever.
     */
    @SuppressWarnings("restricted") // as above
    static MemorySegment upcall(Class<?> in, String method, FunctionDescriptor shape) {
        try {
            MethodType type = shape.toMethodType();
            MethodHandle handle = MethodHandles.privateLookupIn(in, MethodHandles.lookup())
                    .findStatic(in, method, MethodType.methodType(void.class, Object[].class))
                    .asCollector(Object[].class, type.parameterCount()).asType(type);
            return Linker.nativeLinker().upcallStub(handle, shape, Arena.global());
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private static LibvirtException lastError(String function) {
        MemorySegment error = (MemorySegment) Call.LAST_ERROR.invoke();
        if (error.address() == 0) {
            return new LibvirtException(0, 0, function + " failed without a reason");
        }
        MemorySegment fields = sized(error, ERROR_BYTES);
        MemorySegment message = fields.get(ADDRESS, MESSAGE_AT);
        return new LibvirtException(fields.get(JAVA_INT, 0), fields.get(JAVA_INT, ORIGIN_AT),
                message.address() == 0 ? function + " failed" : text(message));
    }

    /** Reads a text that stays libvirt's. */
    static String text(MemorySegment pointer) {
        return sized(pointer, Long.MAX_VALUE).getString(0);
    }

    /** Reads a text that is the caller's, and frees it. */
    static String take(MemorySegment pointer) {
        try {
            return text(pointer);
        } finally {
            free(pointer);
        }
    }

    @SuppressWarnings("restricted") // libvirt.h says where each text ends, and who frees it
    private static void free(MemorySegment pointer) {
        Linker linker = Linker.nativeLinker();
        try {
            linker.downcallHandle(linker.defaultLookup().findOrThrow("free"),
                    FunctionDescriptor.ofVoid(ADDRESS)).invoke(pointer);
        } catch (Throwable t) {
            throw new AssertionError("free cannot throw", t);
        }
    }

    @SuppressWarnings("restricted") // as above
    static MemorySegment sized(MemorySegment pointer, long bytes) {
        return pointer.reinterpret(bytes);
    }

    /** Arguments of an event: seconds and microseconds of QEMU's clock are numbers. */
    static FunctionDescriptor eventShape() {
        return FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS,
                ADDRESS);
    }
}
