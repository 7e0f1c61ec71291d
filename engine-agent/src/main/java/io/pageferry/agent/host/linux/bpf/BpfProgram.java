package io.pageferry.agent.host.linux.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A program in the kernel that runs at a tracepoint. It ends with its descriptors, so also with
 * this process. Any thread, until {@link #close}.
 */
final class BpfProgram implements AutoCloseable {
    /**
     * What the instructions are under: the kernel lets its own structures be read only by what may
     * be joined with the GPL.
     */
    private static final String LICENSE = "Dual MIT/GPL";
    private static final String NAME = "pageferry_marks";
    private static final int TYPE_TRACING = 26;
    private static final int TRACE_RAW_TP = 23;
    /** Only what it says in the end and where it refuses; not each instruction. */
    private static final int LOG_STATS = 4;
    private static final int LOG_BYTES = 1 << 16;
    private static final int INFO_BYTES = 256;
    private static final int RECURSION_MISSES = 208;
    private static final int INSTRUCTION_BYTES = 8;

    private final int fd;
    private final int link;
    private boolean closed;

    private BpfProgram(int fd, int link) {
        this.fd = fd;
        this.link = link;
    }

    /**
     * Loads a program and has it run from now on.
     *
     * @param code       its instructions
     * @param tracepoint number of the type definition {@code btf_trace_…}, in {@link Btf}
     * @throws IOException when the kernel refuses; says why
     */
    static BpfProgram attach(byte[] code, int tracepoint) throws IOException {
        int fd = load(code, tracepoint);
        int link = -1;
        boolean runs = false;
        try {
            link = attach(fd);
            BpfProgram program = new BpfProgram(fd, link);
            program.missedRuns();
            runs = true;
            return program;
        } finally {
            if (!runs) {
                Native.close(fd);
                Native.close(link);
            }
        }
    }

    private static int attach(int fd) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(Bpf.ATTRIBUTE_BYTES, Long.BYTES);
            attributes.set(JAVA_INT, 8, fd);
            return Bpf.check(Bpf.RAW_TRACEPOINT_OPEN, attributes, "attaching " + NAME);
        }
    }

    private static int load(byte[] code, int tracepoint) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment instructions = arena.allocate(code.length, INSTRUCTION_BYTES);
            instructions.copyFrom(MemorySegment.ofArray(code));
            MemorySegment log = arena.allocate(LOG_BYTES);
            MemorySegment attributes = arena.allocate(Bpf.ATTRIBUTE_BYTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, TYPE_TRACING);
            attributes.set(JAVA_INT, 4, code.length / INSTRUCTION_BYTES);
            attributes.set(JAVA_LONG, 8, instructions.address());
            attributes.set(JAVA_LONG, 16, arena.allocateFrom(LICENSE).address());
            attributes.set(JAVA_INT, 24, LOG_STATS);
            attributes.set(JAVA_INT, 28, LOG_BYTES);
            attributes.set(JAVA_LONG, 32, log.address());
            attributes.setString(48, NAME);
            attributes.set(JAVA_INT, 68, TRACE_RAW_TP); // expected_attach_type
            attributes.set(JAVA_INT, 108, tracepoint); // attach_btf_id
            int fd = Bpf.call(Bpf.PROG_LOAD, attributes);
            if (fd < 0) {
                throw Bpf.refused(new LinuxException("bpf", -fd, "loading " + NAME),
                        log.getString(0));
            }
            return fd;
        }
    }

    /**
     * Returns how often the kernel left it out: where its tracepoint was reached while it ran
     * already on that processor.
     *
     * @return since it was loaded
     * @throws IOException when the kernel does not count that
     */
    long missedRuns() throws IOException {
        return info().get(JAVA_LONG, RECURSION_MISSES);
    }

    private MemorySegment info() throws IOException {
        MemorySegment info = Arena.ofAuto().allocate(INFO_BYTES, Long.BYTES);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(Bpf.ATTRIBUTE_BYTES, Long.BYTES);
            attributes.set(JAVA_INT, 0, fd);
            attributes.set(JAVA_INT, 4, INFO_BYTES);
            attributes.set(JAVA_LONG, 8, info.address());
            Bpf.check(Bpf.OBJ_GET_INFO_BY_FD, attributes, "asking about " + NAME);
            if (Bpf.at(attributes, 4) < RECURSION_MISSES + Long.BYTES) {
                throw new IOException("this kernel does not count the runs of a program that it"
                        + " left out: Linux 5.12 does");
            }
            return info;
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            Native.close(link);
            Native.close(fd);
        }
    }
}
