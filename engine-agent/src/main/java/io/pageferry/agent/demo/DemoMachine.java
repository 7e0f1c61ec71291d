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
    /** Which memory backend holds the RAM. */
    public enum Memory {
        /** A file on tmpfs, named by a path. */
        FILE,
        /** A memfd, reached through QEMU's descriptor. */
        MEMFD
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

    /** One vCPU, RAM in a file. */
    public DemoMachine(DemoTools tools, GuestLoad load, long memoryBytes) {
        this(tools, load, memoryBytes, 1, Memory.FILE, List.of());
    }

    /** QEMU's arguments without those that are one process's own. */
    List<String> arguments(Path memoryFile, Path initramfs) {
        long mib = memoryBytes >> 20;
        String backend = switch (memory) {
            case FILE -> "memory-backend-file,mem-path=" + escape(memoryFile);
            case MEMFD -> "memory-backend-memfd";
        };
        // TCG, because every machine has it; qemu64, because it is the same on every host.
        // `pc` is the newest of its kind that this QEMU has.
        List<String> arguments = new ArrayList<>(List.of(tools.qemu().toString(),
                "-nodefaults", "-no-user-config", "-display", "none",
                "-accel", "tcg,thread=multi", "-cpu", "qemu64",
                "-m", mib + "M", "-smp", Integer.toString(vcpus),
                "-object", backend + ",id=ram,size=" + mib + "M,share=on",
                "-machine", "pc,memory-backend=ram",
                "-kernel", tools.kernel().toAbsolutePath().toString(),
                "-initrd", initramfs.toString(),
                "-append", KERNEL + load.kernelParameters()));
        arguments.addAll(more);
        return arguments;
    }

    /** QEMU's option parser takes two commas for one. */
    static String escape(Path path) {
        return path.toAbsolutePath().toString().replace(",", ",,");
    }
}
