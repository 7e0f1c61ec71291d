package io.pageferry.agent.host.linux.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Native.Call;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * A virtual processor. One platform thread runs it, and only while that is not inside {@link #run}
 * may its registers be asked for. {@link #interrupt} is for any thread.
 */
public final class KvmVcpu implements AutoCloseable {
    private static final long KVM_RUN = 0xAE80;
    private static final long KVM_GET_REGS = 0x8090AE81L;
    private static final long KVM_SET_REGS = 0x4090AE82L;
    private static final long KVM_GET_SREGS = 0x8138AE83L;
    private static final long KVM_SET_SREGS = 0x4138AE84L;

    // struct kvm_run, and its part for KVM_EXIT_IO.
    private static final int IMMEDIATE_EXIT = 1;
    private static final int EXIT_REASON = 8;
    private static final int IO_DIRECTION = 32;
    private static final int IO_SIZE = 33;
    private static final int IO_PORT = 34;
    private static final int IO_DATA_OFFSET = 40;
    private static final int KVM_EXIT_IO_OUT = 1;

    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;

    private static final int KVM_EXIT_IO = 2;
    private static final int KVM_EXIT_HLT = 5;
    private static final int KVM_EXIT_MMIO = 6;
    private static final int KVM_EXIT_SHUTDOWN = 8;
    private static final int KVM_EXIT_FAIL_ENTRY = 9;
    private static final int KVM_EXIT_INTERNAL_ERROR = 17;

    private static final VarHandle BYTE = JAVA_BYTE.varHandle();
    private static final KvmExit INTERRUPTED = new KvmExit.Interrupted();

    private final int fd;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment run;
    private Thread runner;
    private volatile int kernelThread;
    private boolean closed;

    private KvmVcpu(int fd, int runBytes) throws LinuxException {
        this.fd = fd;
        this.run = map(fd, runBytes, arena);
    }

    // Only here an address becomes memory: length is what was mapped, the arena unmaps it.
    @SuppressWarnings("restricted")
    private static MemorySegment map(int fd, long bytes, Arena arena) throws LinuxException {
        long address = Native.check(Native.call(Call.MMAP, 0, bytes, PROT_READ_WRITE, MAP_SHARED,
                fd, 0), "mmap", "vCPU");
        return MemorySegment.ofAddress(address).reinterpret(bytes, arena,
                dead -> Native.call(Call.MUNMAP, address, bytes));
    }

    /** Takes a descriptor over; closes it where that fails. */
    static KvmVcpu own(int fd, int runBytes) throws LinuxException {
        try {
            InterruptSignal.install();
            return new KvmVcpu(fd, runBytes);
        } catch (LinuxException e) {
            Native.close(fd);
            throw e;
        }
    }

    /**
     * Runs the guest until it comes back. Not interrupted by Java's means.
     *
     * @return why it came back
     * @throws LinuxException when it cannot be run
     */
    public KvmExit run() throws LinuxException {
        if (runner != Thread.currentThread()) {
            runner = Thread.currentThread();
            kernelThread = (int) Native.call(Call.GETTID);
        }
        int result = Native.ioctl(fd, KVM_RUN, MemorySegment.NULL);
        if (result == -Native.EINTR) {
            return INTERRUPTED;
        }
        Native.check(result, "KVM_RUN", "vCPU");
        int reason = run.get(JAVA_INT, EXIT_REASON);
        return reason == KVM_EXIT_IO && run.get(JAVA_BYTE, IO_DIRECTION) == KVM_EXIT_IO_OUT
                ? portWrite() : new KvmExit.Stopped(reason, name(reason));
    }

    private KvmExit portWrite() {
        long data = run.get(JAVA_LONG, IO_DATA_OFFSET);
        int value = switch (run.get(JAVA_BYTE, IO_SIZE)) {
            case 1 -> Byte.toUnsignedInt(run.get(JAVA_BYTE, data));
            case 2 -> Short.toUnsignedInt(run.get(JAVA_SHORT.withByteAlignment(1), data));
            default -> run.get(JAVA_INT.withByteAlignment(1), data);
        };
        return new KvmExit.PortWrite(Short.toUnsignedInt(run.get(JAVA_SHORT, IO_PORT)), value);
    }

    private static String name(int reason) {
        return switch (reason) {
            case KVM_EXIT_IO -> "it reads from a port";
            case KVM_EXIT_HLT -> "it halted";
            case KVM_EXIT_MMIO -> "it reached past its memory";
            case KVM_EXIT_SHUTDOWN -> "it shut down after a triple fault";
            case KVM_EXIT_FAIL_ENTRY -> "the processor does not take its state";
            case KVM_EXIT_INTERNAL_ERROR -> "KVM failed";
            default -> "exit reason " + reason;
        };
    }

    /**
     * Has {@link #run} come back at once with {@link KvmExit.Interrupted}, now or when it is called
     * next, until {@link #clearInterrupt}. Not lost in any order.
     */
    public void interrupt() {
        BYTE.setVolatile(run, (long) IMMEDIATE_EXIT, (byte) 1);
        int thread = kernelThread;
        if (thread != 0) {
            // A thread that has ended wants no signal.
            Native.call(Call.TGKILL, ProcessHandle.current().pid(), thread,
                    InterruptSignal.NUMBER);
        }
    }

    /** Takes {@link #interrupt} back; by the thread that runs it. */
    public void clearInterrupt() {
        BYTE.setVolatile(run, (long) IMMEDIATE_EXIT, (byte) 0);
    }

    /**
     * Reads the general registers.
     *
     * @return a copy
     * @throws LinuxException when the kernel refuses
     */
    public Registers registers() throws LinuxException {
        return Registers.of(get(KVM_GET_REGS, "KVM_GET_REGS", Registers.BYTES));
    }

    /**
     * Sets the general registers.
     *
     * @param registers all of them
     * @throws LinuxException when the kernel refuses
     */
    public void registers(Registers registers) throws LinuxException {
        set(KVM_SET_REGS, "KVM_SET_REGS", registers.bytes());
    }

    /**
     * Reads segments, tables and control registers.
     *
     * @return a copy
     * @throws LinuxException when the kernel refuses
     */
    public SpecialRegisters specialRegisters() throws LinuxException {
        return SpecialRegisters.of(get(KVM_GET_SREGS, "KVM_GET_SREGS", SpecialRegisters.BYTES));
    }

    /**
     * Sets segments, tables and control registers.
     *
     * @param registers all of them
     * @throws LinuxException when the kernel refuses
     */
    public void specialRegisters(SpecialRegisters registers) throws LinuxException {
        set(KVM_SET_SREGS, "KVM_SET_SREGS", registers.bytes());
    }

    private byte[] get(long request, String call, int bytes) throws LinuxException {
        try (Arena confined = Arena.ofConfined()) {
            MemorySegment into = confined.allocate(bytes, Long.BYTES);
            Native.check(Native.ioctl(fd, request, into), call, "vCPU");
            return into.toArray(JAVA_BYTE);
        }
    }

    private void set(long request, String call, byte[] bytes) throws LinuxException {
        try (Arena confined = Arena.ofConfined()) {
            MemorySegment from = confined.allocate(bytes.length, Long.BYTES);
            from.copyFrom(MemorySegment.ofArray(bytes));
            Native.check(Native.ioctl(fd, request, from), call, "vCPU");
        }
    }

    /** Ends the vCPU, which no thread runs any more. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            arena.close();
            Native.close(fd);
        }
    }
}
