package io.pageferry.agent.demo;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.api.Assumptions;

/** What the tests boot, where this machine can. */
public final class TestMachines {
    private TestMachines() {
    }

    /** Skips the test, with the reason, where something is missing. */
    public static DemoTools tools() {
        try {
            return DemoTools.findForTests();
        } catch (DemoTools.MissingException e) {
            Assumptions.abort(e.getMessage() + (System.getenv(DemoTools.KERNEL_VARIABLE) == null
                    ? "\nor name a kernel by " + DemoTools.KERNEL_VARIABLE : ""));
            throw new AssertionError(e);
        }
    }

    /** A small guest that ticks and writes a little; its RAM is a file. */
    public static DemoMachine light() {
        return new DemoMachine(tools(), GuestLoad.LIGHT, 192L << 20, 1, DemoMachine.Memory.FILE,
                List.of());
    }

    /**
     * What a guest boots from.
     *
     * @param kernel    a file
     * @param initramfs a file
     * @param parameters of the kernel
     */
    public record Boot(String kernel, String initramfs, String parameters) { }

    /**
     * Makes what a machine boots from, for whoever starts it in another way.
     *
     * @param more files of this host by name in the archive
     */
    public static Boot boot(DemoMachine machine, Path initramfs, SortedMap<String, Path> more)
            throws IOException {
        Initramfs.write(initramfs, machine.tools().busybox(), more);
        List<String> arguments = machine.arguments(initramfs, initramfs);
        return new Boot(after(arguments, "-kernel"), after(arguments, "-initrd"),
                after(arguments, "-append"));
    }

    private static String after(List<String> arguments, String option) {
        return arguments.get(arguments.indexOf(option) + 1);
    }

    /**
     * What a guest's kernel is told, where a test tells it more.
     *
     * @param load what its guest does
     * @param more parameters of the kernel
     * @return arguments of QEMU: the last {@code -append} holds
     */
    public static List<String> kernel(GuestLoad load, String more) {
        return List.of("-append", "console=ttyS0 quiet panic=0 mitigations=off nowatchdog "
                + load.kernelParameters() + " " + more);
    }
}
