package io.pageferry.agent.demo;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The virtual machine that source and target have in common: equal arguments but for the paths.
 *
 * @param tools what it is made of
 * @param load what its guest does
 * @param memoryBytes RAM, a multiple of 1 MiB, at least what the load needs
 * @param vcpus 1 or more
 * @param memory where its RAM is
 * @param more further arguments of QEMU, devices for example
 */
public record DemoMachine(DemoTools tools, GuestLoad load, long memoryBytes, int vcpus,
        Memory memory, List<String> more) {
    /** What holds the RAM. */
    public enum Memory {
        /** Private memory, as a plain {@code -m} gives it. */
        PLAIN,
        /** Private memory that began as a file. */
        PRIVATE_FILE,
        /** Private memory of two NUMA nodes, each with half of the vCPUs. */
        TWO_PRIVATE,
        /** A file on tmpfs, named by a path. */
        FILE,
        /** A memfd, reached through QEMU's descriptor. */
        MEMFD,
        /** Two memfds of one size, each a NUMA node with half of the vCPUs. */
        TWO_MEMFDS,
        /** Two files of one size without a name, likewise: what a folder as mem-path gives. */
        TWO_FILES;

        /** Whether there is a file by a name of ours. */
        boolean isNamed() {
            return this == FILE || this == PRIVATE_FILE;
        }
    }

    // A fresh TCG translates what the guest runs before it runs it, thousands of blocks from `cont`
    // to the first tick: mitigations of real processors' faults would only add to them.
    private static final String KERNEL =
            "console=ttyS0 quiet panic=0 mitigations=off nowatchdog ";

    /** Checks the ranges. */
    public DemoMachine {
        long least = (long) load.memoryMiB() << 20;
        if (memoryBytes < least || memoryBytes % (1 << 20) != 0) {
            throw new IllegalArgumentException("this guest needs whole MiB of memory, "
                    + (least >> 20) + "MiB at least");
        }
        if (vcpus < 1) {
            throw new IllegalArgumentException("a guest needs a vCPU");
        }
        more = List.copyOf(more);
    }

    /** One vCPU, a plain guest. */
    public DemoMachine(DemoTools tools, GuestLoad load, long memoryBytes) {
        this(tools, load, memoryBytes, 1, Memory.PLAIN, List.of());
    }

    /** QEMU's arguments without those that are one process's own. */
    List<String> arguments(Path memoryFile, Path initramfs) {
        long mib = memoryBytes >> 20;
        // TCG, because every machine has it; qemu64, because it is the same on every host.
        // `pc` is the newest of its kind that this QEMU has.
        List<String> arguments = new ArrayList<>(List.of(tools.qemu().toString(),
                "-nodefaults", "-no-user-config", "-display", "none",
                "-accel", "tcg,thread=multi", "-cpu", "qemu64",
                "-m", mib + "M", "-smp", Integer.toString(vcpus),
                "-machine", "pc",
                "-kernel", tools.kernel().toAbsolutePath().toString(),
                "-initrd", initramfs.toString(),
                "-append", KERNEL + load.kernelParameters()));
        arguments.addAll(ram(memoryFile));
        arguments.addAll(more);
        return arguments;
    }

    private List<String> ram(Path file) {
        return switch (memory) {
            case PLAIN -> List.of();
            case PRIVATE_FILE -> whole("memory-backend-file,share=off,mem-path=" + escape(file));
            case TWO_PRIVATE -> halves("memory-backend-ram,share=off");
            case FILE -> whole("memory-backend-file,share=on,mem-path=" + escape(file));
            case MEMFD -> whole("memory-backend-memfd,share=on");
            case TWO_MEMFDS -> halves("memory-backend-memfd,share=on");
            case TWO_FILES -> halves("memory-backend-file,share=on,mem-path="
                    + escape(file.getParent()));
        };
    }

    private List<String> whole(String backend) {
        return List.of("-object", backend + ",id=ram,size=" + (memoryBytes >> 20) + "M",
                "-machine", "memory-backend=ram");
    }

    private List<String> halves(String backend) {
        List<String> arguments = new ArrayList<>();
        for (int node = 0; node < 2; node++) {
            arguments.addAll(List.of("-object", backend + ",id=node" + node + ",size="
                    + (memoryBytes >> 21) + "M",
                    "-numa", "node,memdev=node" + node));
        }
        for (int cpu = 0; cpu < vcpus; cpu++) {
            arguments.addAll(List.of("-numa", "cpu,node-id=" + cpu * 2 / vcpus
                    + ",socket-id=" + cpu));
        }
        arguments.addAll(List.of("-smp", "sockets=" + vcpus + ",cores=1,threads=1"));
        return arguments;
    }

    /** QEMU's option parser takes two commas for one. */
    static String escape(Path path) {
        return path.toAbsolutePath().toString().replace(",", ",,");
    }
}
