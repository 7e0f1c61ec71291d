package io.pageferry.agent.host.linux.userfault;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pageferry.agent.host.linux.Native;
import io.pageferry.agent.host.linux.ProcText;
import io.pageferry.agent.host.linux.Processes;
import io.pageferry.agent.host.linux.SharedMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Tries what this kernel and this user's rights allow, each step for itself. Any thread; takes a
 * few milliseconds and leaves nothing behind.
 */
public final class KernelProbe {
    /**
     * One ability.
     *
     * @param name   short and fixed, as {@code userfaultfd}
     * @param ok     whether it was tried with success
     * @param detail what was seen; where not ok, why and what to do
     */
    public record Step(String name, boolean ok, String detail) {
        @Override
        public String toString() {
            return name + (ok ? ": yes, " : ": no, ") + detail;
        }
    }

    private interface Trial {
        String run() throws IOException;
    }

    private static final int PAGE = 4096;
    private static final long PAGES = 4;
    private static final int CAP_SYS_PTRACE = 19;
    private static final Path YAMA = Path.of("/proc/sys/kernel/yama/ptrace_scope");

    private KernelProbe() {
    }

    /**
     * Tries every ability.
     *
     * @return memfd, userfaultfd, its features, pagemap-scan, ptrace, in this order
     */
    public static List<Step> run() {
        if (!"Linux".equals(System.getProperty("os.name"))) {
            return List.of(new Step("linux", false, "this is " + System.getProperty("os.name")));
        }
        List<Step> steps = new ArrayList<>();
        steps.add(attempt("memfd", KernelProbe::memfd));
        steps.add(attempt("userfaultfd", KernelProbe::userfaultfd));
        steps.add(feature("wp-async", Userfault.FEATURE_WP_ASYNC, "6.7"));
        steps.add(feature("wp-unpopulated", Userfault.FEATURE_WP_UNPOPULATED, "6.4"));
        steps.add(feature("wp-shared-memory", Userfault.FEATURE_WP_HUGETLBFS_SHMEM, "5.19"));
        steps.add(attempt("pagemap-scan", KernelProbe::pagemapScan));
        steps.add(attempt("ptrace", KernelProbe::ptrace));
        return List.copyOf(steps);
    }

    /**
     * Returns whether writes of this process can be tracked.
     *
     * @param steps what {@link #run} gave
     * @return true when all but ptrace is there
     */
    public static boolean canTrackSelf(List<Step> steps) {
        return steps.stream().allMatch(step -> step.ok() || "ptrace".equals(step.name()));
    }

    /**
     * Returns whether writes of other processes can be tracked. One process may still refuse:
     * {@link RemoteUserfault#requirePossible}.
     *
     * @param steps what {@link #run} gave
     * @return true when everything is there
     */
    public static boolean canTrackOthers(List<Step> steps) {
        return steps.stream().allMatch(Step::ok);
    }

    /**
     * Returns why a tracker was chosen.
     *
     * @param steps what {@link #run} gave
     * @return one line: what is missing, or that nothing is
     */
    public static String summary(List<Step> steps) {
        String missing = steps.stream().filter(step -> !step.ok()).map(Step::toString)
                .collect(Collectors.joining("; "));
        return missing.isEmpty() ? "the kernel tracks writes (userfaultfd and PAGEMAP_SCAN)"
                : missing;
    }

    /**
     * Returns whether this process has CAP_SYS_PTRACE, without which userfaultfd reports no fork.
     *
     * @return true where it has
     * @throws IOException when /proc does not show it
     */
    public static boolean mayTraceAll() throws IOException {
        long self = ProcessHandle.current().pid();
        long effective = ProcText.parse("the line CapEff of status",
                Processes.status(self, "CapEff"), text -> Long.parseUnsignedLong(text, 16));
        return (effective >>> CAP_SYS_PTRACE & 1) != 0;
    }

    private static Step attempt(String name, Trial trial) {
        try {
            return new Step(name, true, trial.run());
        } catch (IOException e) {
            return new Step(name, false, e.getMessage());
        }
    }

    private static Step feature(String name, long bit, String since) {
        return attempt(name, () -> {
            if ((Userfault.offered() & bit) == 0) {
                throw new IOException("this kernel lacks it; Linux " + since + " has it");
            }
            return "offered";
        });
    }

    private static String memfd() throws IOException {
        try (SharedMemory memory = SharedMemory.create("pageferry-probe", PAGE)) {
            return memory.size() + " bytes made";
        }
    }

    private static String userfaultfd() throws IOException {
        return "features 0x" + Long.toHexString(Userfault.offered());
    }

    /** The proof of the whole way: a write is seen once, and then no more. */
    private static String pagemapScan() throws IOException {
        try (SharedMemory memory = SharedMemory.create("pageferry-probe", PAGES * PAGE);
                Arena arena = Arena.ofConfined();
                Userfault userfault = Userfault.open();
                PagemapScan scan = PagemapScan.ofSelf()) {
            MemorySegment window = memory.map(0, memory.size(), arena);
            long start = window.address();
            long end = start + memory.size();
            userfault.register(start, memory.size());
            expect(scan, start, end, PAGES);
            window.set(JAVA_BYTE, PAGE, (byte) 1);
            expect(scan, start, end, 1);
            expect(scan, start, end, 0);
            userfault.unregister(start, memory.size());
            return "a write was seen once";
        }
    }

    private static void expect(PagemapScan scan, long start, long end, long pages)
            throws IOException {
        long seen = scan.harvest(start, end, (from, to) -> { });
        if (seen != pages) {
            throw new IOException("the kernel reported " + seen + " pages instead of " + pages);
        }
    }

    private static String ptrace() throws IOException {
        if (!Native.X86) {
            throw new IOException("other processes are tracked on x86-64 only");
        }
        boolean capable = mayTraceAll();
        // No file: no Yama, which is its scope 0.
        int scope = Files.exists(YAMA) ? Integer.parseInt(Files.readString(YAMA).trim()) : 0;
        if (scope == 3) {
            throw new IOException("kernel.yama.ptrace_scope is 3: no process may be traced "
                    + "before the next boot");
        }
        if (scope > 0 && !capable) {
            throw new IOException("kernel.yama.ptrace_scope is " + scope
                    + ": give this process CAP_SYS_PTRACE");
        }
        return capable ? "CAP_SYS_PTRACE" : "processes of this user only";
    }
}
