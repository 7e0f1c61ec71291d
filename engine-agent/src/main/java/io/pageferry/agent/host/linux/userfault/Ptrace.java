package io.pageferry.agent.host.linux.userfault;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Native.Call;
import io.pageferry.agent.host.linux.ProcessMaps;
import io.pageferry.agent.host.linux.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Stops one thread of another process and makes it do single system calls. x86-64 only.
 *
 * <p>All methods on one platform thread: tracing belongs to the kernel's thread. Should that
 * thread end half-way, the kernel lets the target go; it then runs on with whatever registers it
 * has, so nothing between {@link #stop} and {@link #leave} may be slow or loaded late.
 */
final class Ptrace implements AutoCloseable {
    /** The stop came inside a restartable sequence, which the kernel would forget: try again. */
    static final class BadMoment extends IOException {
        private static final long serialVersionUID = 1L;

        BadMoment() {
            super("the target stands inside a restartable sequence");
        }
    }

    // linux/ptrace.h
    private static final int CONT = 7;
    private static final int SINGLESTEP = 9;
    private static final int GETREGS = 12;
    private static final int SETREGS = 13;
    private static final int DETACH = 17;
    private static final int SEIZE = 0x4206;
    private static final int INTERRUPT = 0x4207;
    private static final int GETSIGMASK = 0x420a;
    private static final int SETSIGMASK = 0x420b;
    private static final int GET_RSEQ_CONFIGURATION = 0x420f;
    private static final int EVENT_STOP = 128;
    /** Filters of system calls do not see ours; needs CAP_SYS_ADMIN. */
    static final long O_SUSPEND_SECCOMP = 1L << 21;

    // struct user_regs_struct, sys/user.h
    private static final int REGISTERS_BYTES = 216;
    private static final int RAX = 80;
    private static final int RDX = 96;
    private static final int RSI = 104;
    private static final int RDI = 112;
    private static final int ORIG_RAX = 120;
    private static final int RIP = 128;
    private static final int CS = 136;
    /** Selector of 64-bit user code. */
    private static final long CS_64 = 0x33;

    private static final int WNOHANG = 1;
    private static final int WALL = 0x40000000;
    private static final int SIGTRAP = 5;
    private static final int SIGSTOP = 19;
    private static final int SIGSET_BYTES = 8;
    private static final int RSEQ_BYTES = 24;
    private static final int RSEQ_CS = 8;
    private static final int CODE_LIMIT = 4 << 20;
    private static final int MAX_STOPS = 100;
    private static final long SPIN_NANOS = 2_000_000;
    private static final long PAUSE_NANOS = 20_000;
    /** A thread that sleeps uninterruptibly longer than this is not going to stop soon. */
    private static final long STOP_NANOS = 1_000_000_000;
    /** Our calls do not block; giving up on one would leave the target with our registers. */
    private static final long STEP_NANOS = 60_000_000_000L;

    private final long tid;
    private final RandomAccessFile memory;
    private final long instruction;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment status = arena.allocate(8, 8);
    private final MemorySegment saved = arena.allocate(REGISTERS_BYTES, 8);
    private final MemorySegment work = arena.allocate(REGISTERS_BYTES, 8);
    private final MemorySegment oldMask = arena.allocate(SIGSET_BYTES, 8);
    private final MemorySegment fullMask = arena.allocate(SIGSET_BYTES, 8);
    private final MemorySegment rseq = arena.allocate(RSEQ_BYTES, 8);
    private final byte[] words = new byte[24];
    private boolean stopped;
    private boolean masked;

    private Ptrace(long tid, RandomAccessFile memory, long instruction) {
        this.tid = tid;
        this.memory = memory;
        this.instruction = instruction;
        // A blocked SIGTRAP costs the target its handler: the kernel resets what it forces.
        fullMask.set(JAVA_LONG, 0, ~(1L << SIGTRAP - 1));
    }

    /**
     * Prepares; touches nothing yet.
     *
     * @param pid the process
     * @param tid one of its threads
     */
    static Ptrace prepare(long pid, long tid) throws IOException {
        RandomAccessFile memory = new RandomAccessFile("/proc/" + pid + "/mem", "r");
        try {
            return new Ptrace(tid, memory, findSyscall(pid, memory));
        } catch (IOException e) {
            memory.close();
            throw e;
        }
    }

    /** Finds a {@code syscall} instruction in code that stays mapped: first in the vdso. */
    private static long findSyscall(long pid, RandomAccessFile memory) throws IOException {
        List<ProcessMaps.Mapping> code = ProcessMaps.of(pid).stream()
                .filter(m -> m.permissions().charAt(2) == 'x' && !"[vsyscall]".equals(m.path()))
                .sorted(Comparator.comparing(m -> !"[vdso]".equals(m.path()))).toList();
        for (ProcessMaps.Mapping mapping : code) {
            byte[] bytes = new byte[(int) Math.min(mapping.length(), CODE_LIMIT)];
            memory.seek(mapping.start());
            int count = memory.read(bytes);
            for (int i = 0; i + 1 < count; i++) {
                if (bytes[i] == 0x0f && bytes[i + 1] == 0x05) {
                    return mapping.start() + i;
                }
            }
        }
        throw new IOException("process " + pid + " has no syscall instruction to borrow");
    }

    /** Runs every path once without a target, so that nothing is loaded while one stands still. */
    static void warmUp() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(8, 8);
            Native.call(Call.PTRACE, -1, 0, 0, 0);
            Native.call(Call.WAIT4, ProcessHandle.current().pid(), status.address(),
                    WNOHANG | WALL, 0);
            int fd = Native.open("/dev/null", Native.O_RDONLY);
            try {
                Native.close(Processes.takeDescriptor(ProcessHandle.current().pid(), fd));
            } finally {
                Native.close(fd);
            }
        } catch (LinuxException e) {
            return; // the real call reports it better
        }
    }

    /** Runs the rest of the paths, on a thread id that cannot exist. */
    private void warmUpOwn() {
        Ptrace nobody = new Ptrace(Integer.MAX_VALUE, memory, instruction);
        try (nobody.arena) {
            nobody.stop();
        } catch (IOException e) {
            nobody.leave();
            try {
                nobody.await(0);
            } catch (IOException expected) {
                work.copyFrom(saved);
            }
        }
    }

    /** Attaches without stopping. */
    void seize(long options) throws LinuxException {
        warmUp();
        warmUpOwn();
        ptrace(SEIZE, 0, options, "PTRACE_SEIZE");
    }

    /** Stops the thread, keeps its registers and blocks its signals. Then {@link #leave}. */
    void stop() throws IOException {
        ptrace(INTERRUPT, 0, 0, "PTRACE_INTERRUPT");
        for (int signal = awaitSignal(STOP_NANOS); signal >= 0; signal = awaitSignal(STOP_NANOS)) {
            // It was on its way before us: delivered as it came, our stop follows.
            ptrace(CONT, 0, signal, "PTRACE_CONT");
        }
        stopped = true;
        ptrace(GETREGS, 0, saved.address(), "PTRACE_GETREGS");
        if (saved.get(JAVA_LONG, CS) != CS_64) {
            throw new IOException("thread " + tid + " runs 32-bit code");
        }
        if (insideRestartableSequence()) {
            throw new BadMoment();
        }
        ptrace(GETSIGMASK, SIGSET_BYTES, oldMask.address(), "PTRACE_GETSIGMASK");
        masked = true;
        ptrace(SETSIGMASK, SIGSET_BYTES, fullMask.address(), "PTRACE_SETSIGMASK");
    }

    /** Gives the signal about to be delivered, or −1 when the stop is the one we asked for. */
    private int awaitSignal(long limitNanos) throws IOException {
        int state = await(limitNanos);
        return state >> 16 == EVENT_STOP ? -1 : state >> 8 & 0xff;
    }

    /**
     * Makes the stopped thread do one system call. No memory of the target is touched.
     *
     * @param call   which
     * @param first  its first argument; two more are 0
     * @return its result or −errno
     */
    long syscall(Call call, long first) throws IOException {
        work.copyFrom(saved);
        work.set(JAVA_LONG, RAX, call.number());
        work.set(JAVA_LONG, ORIG_RAX, -1L); // else the kernel would "restart" the interrupted one
        work.set(JAVA_LONG, RIP, instruction);
        work.set(JAVA_LONG, RDI, first);
        work.set(JAVA_LONG, RSI, 0L);
        work.set(JAVA_LONG, RDX, 0L);
        ptrace(SETREGS, 0, work.address(), "PTRACE_SETREGS");
        step();
        ptrace(GETREGS, 0, work.address(), "PTRACE_GETREGS");
        if (work.get(JAVA_LONG, RIP) != instruction + 2) {
            throw new IOException("thread " + tid + " did not do " + call.label());
        }
        return work.get(JAVA_LONG, RAX);
    }

    /** One instruction. A stop signal may come between: it takes effect when we have left. */
    private void step() throws IOException {
        int pass = 0;
        for (int i = 0; i < MAX_STOPS; i++) {
            ptrace(SINGLESTEP, 0, pass, "PTRACE_SINGLESTEP");
            int signal = awaitSignal(STEP_NANOS);
            if (signal == SIGTRAP) {
                return;
            }
            if (signal >= 0 && signal != SIGSTOP) {
                throw new IOException("thread " + tid + " got signal " + signal);
            }
            pass = Math.max(signal, 0);
        }
        throw new IOException("thread " + tid + " is stopped again and again");
    }

    /** Puts everything back and lets the thread go. Does what it can: the target may be gone. */
    void leave() {
        if (masked) {
            Native.call(Call.PTRACE, SETREGS, tid, 0, saved.address());
            Native.call(Call.PTRACE, SETSIGMASK, tid, SIGSET_BYTES, oldMask.address());
            masked = false;
        }
        if (stopped) {
            Native.call(Call.PTRACE, DETACH, tid, 0, 0);
            stopped = false;
        }
    }

    /**
     * Returns whether the thread is inside a restartable sequence (rseq(2)). Run elsewhere, the
     * kernel takes the sequence for finished; put back inside it, it would not be restarted.
     */
    private boolean insideRestartableSequence() throws IOException {
        long size = Native.call(Call.PTRACE, GET_RSEQ_CONFIGURATION, tid, RSEQ_BYTES,
                rseq.address());
        long area = size > 0 ? rseq.get(JAVA_LONG, 0) : 0;
        long sequence = area == 0 ? 0 : read(area + RSEQ_CS, 1).getLong();
        if (sequence == 0) {
            return false;
        }
        ByteBuffer bounds = read(sequence + 8, 2); // struct rseq_cs: start_ip, length
        return Long.compareUnsigned(saved.get(JAVA_LONG, RIP) - bounds.getLong(),
                bounds.getLong()) < 0;
    }

    private ByteBuffer read(long address, int count) throws IOException {
        memory.seek(address);
        memory.readFully(words, 0, count * Long.BYTES);
        return ByteBuffer.wrap(words).order(ByteOrder.nativeOrder());
    }

    private void ptrace(int request, long address, long data, String name) throws LinuxException {
        Native.check(Native.call(Call.PTRACE, request, tid, address, data), name, "thread " + tid);
    }

    /** Waits for a stop. Never for "any child": that would steal those of the JVM. */
    private int await(long limitNanos) throws IOException {
        long begin = System.nanoTime();
        for (;;) {
            long got = Native.call(Call.WAIT4, tid, status.address(), WNOHANG | WALL, 0);
            if (got == tid) {
                int state = status.get(JAVA_INT, 0);
                if ((state & 0xff) != 0x7f) {
                    stopped = false;
                    masked = false;
                    throw new IOException("thread " + tid + " ended");
                }
                return state;
            }
            if (got != -Native.EINTR) {
                Native.check(got, "wait4", "thread " + tid);
            }
            long waited = System.nanoTime() - begin;
            if (waited > limitNanos) {
                throw new IOException("thread " + tid + " did not stop in time");
            }
            if (waited > SPIN_NANOS) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    @Override
    public void close() throws IOException {
        leave();
        arena.close();
        memory.close();
    }
}
