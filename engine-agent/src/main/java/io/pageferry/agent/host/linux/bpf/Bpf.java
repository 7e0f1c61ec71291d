package io.pageferry.agent.host.linux.bpf;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.pageferry.agent.host.linux.LinuxException;
import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.Native.Call;
import io.pageferry.agent.host.linux.ProcText;
import io.pageferry.agent.host.linux.Processes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** The one call of the kernel that all of BPF goes through, and why it may be refused. */
final class Bpf {
    /** Commands, from {@code linux/bpf.h}. */
    static final int MAP_CREATE = 0;
    static final int MAP_LOOKUP_ELEM = 1;
    static final int MAP_GET_NEXT_KEY = 4;
    static final int PROG_LOAD = 5;
    static final int OBJ_GET_INFO_BY_FD = 15;
    static final int RAW_TRACEPOINT_OPEN = 17;
    /** Every kernel that has what is needed here knows so much of {@code union bpf_attr}. */
    static final int ATTRIBUTE_BYTES = 112;

    private static final int CAP_SYS_ADMIN = 21;
    private static final int CAP_PERFMON = 38;
    private static final int CAP_BPF = 39;
    private static final Path LOCKDOWN = Path.of("/sys/kernel/security/lockdown");

    private static final Pattern COSTS =
            Pattern.compile("processed \\d|verification time|stack depth");

    private Bpf() {
    }

    /** Makes the call; returns its result or −errno. */
    static int call(int command, MemorySegment attributes) {
        return (int) Native.call(Call.BPF, command, attributes.address(), attributes.byteSize());
    }

    /**
     * Makes the call.
     *
     * @throws IOException when the kernel refuses; says why where that can be known
     */
    static int check(int command, MemorySegment attributes, String what) throws IOException {
        int result = call(command, attributes);
        if (result < 0) {
            throw refused(new LinuxException("bpf", -result, what), "");
        }
        return result;
    }

    /** Names an int of attributes or of an answer. */
    static int at(MemorySegment structure, long offset) {
        return structure.get(JAVA_INT, offset);
    }

    /** Words a refusal, with what the kernel's verifier said of a program, if anything. */
    static IOException refused(LinuxException refusal, String verifier) throws IOException {
        String lockdown = Files.exists(LOCKDOWN) ? Files.readString(LOCKDOWN) : "";
        long capabilities = ProcText.parse("the line CapEff of status", Processes.status(
                ProcessHandle.current().pid(), "CapEff"), text -> Long.parseUnsignedLong(text, 16));
        return new IOException(refusal.getMessage()
                + reason(refusal.errno(), capabilities, lockdown, verifier), refusal);
    }

    /** What is to be said behind the error itself. */
    static String reason(int errno, long capabilities, String lockdown, String verifier) {
        if (errno == Native.EPERM && lockdown.contains("[confidentiality]")) {
            return ": the kernel is locked down for confidentiality, which forbids it to everybody;"
                    + " lockdown=integrity allows it";
        }
        if (errno == Native.EPERM && !may(capabilities)) {
            return ": give this process CAP_BPF and CAP_PERFMON";
        }
        if (errno == Native.EPERM) {
            return ": a container or a security module forbids it to this process: run it outside";
        }
        // Behind its reason it tells what it cost.
        String last = verifier.lines().filter(line -> !COSTS.matcher(line).lookingAt())
                .filter(Predicate.not(String::isBlank)).reduce("", (before, line) -> line);
        return last.isEmpty() ? "" : ": the kernel's verifier says: " + last;
    }

    private static boolean may(long capabilities) {
        boolean admin = (capabilities >>> CAP_SYS_ADMIN & 1) != 0;
        return admin || (capabilities >>> CAP_BPF & capabilities >>> CAP_PERFMON & 1) != 0;
    }
}
