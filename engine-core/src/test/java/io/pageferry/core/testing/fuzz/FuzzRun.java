package io.pageferry.core.testing.fuzz;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;

/**
 * Gives inputs to a target. The first byte of an input is not the format's: its lowest three bits
 * are all set where the sums are to be left as they are, one time in eight, and the other five are
 * the target's choice. Also what Jazzer calls, with the target named by a property.
 */
public final class FuzzRun {
    /** Names the target: the class of its {@link FuzzTargets}, a slash, its name. */
    public static final String TARGET = "pageferry.fuzz.target";

    private static final int UNSEALED = 7;
    private static final int CHOICE_SHIFT = 3;

    /** What an input may make its parser allocate. */
    private static final long BYTES_FOR_A_BYTE = 1024;
    private static final long BYTES_FOR_NOTHING = 1 << 20;

    /** Classes are loaded, and instrumented, once: what takes as much again was the input. */
    private static final int TRIES = 3;

    private static final ThreadMXBean THREADS =
            (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static FuzzTarget underJazzer;

    private FuzzRun() {
    }

    /**
     * Runs one input.
     *
     * @param target it is given to
     * @param input  with its first byte, which is not the format's; an empty one is refused
     * @return whether it was taken
     * @throws Exception      a finding
     * @throws AssertionError a finding
     */
    public static boolean one(FuzzTarget target, byte[] input) throws Exception {
        if (input.length == 0) {
            return false;
        }
        byte[] bytes = Arrays.copyOfRange(input, 1, input.length);
        if ((input[0] & UNSEALED) != UNSEALED) {
            target.seal(bytes);
        }
        long most = BYTES_FOR_NOTHING + BYTES_FOR_A_BYTE * bytes.length;
        for (int i = 0; i < TRIES; i++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            boolean taken = target.take((input[0] & 0xff) >>> CHOICE_SHIFT, bytes);
            if (THREADS.getCurrentThreadAllocatedBytes() - before <= most) {
                return taken;
            }
        }
        throw new AssertionError(bytes.length + " bytes made " + target.name()
                + " allocate more than " + most);
    }

    /**
     * Runs inputs of one target, as {@link LineCoverage} wants it: by names, so that the caller may
     * have other classes of these names.
     *
     * @param targets class of the {@link FuzzTargets}
     * @param name    of the target
     * @param inputs  to be run in this order
     * @throws Exception a finding
     */
    public static void replay(String targets, String name, List<byte[]> inputs) throws Exception {
        FuzzTarget target = find(targets, name);
        for (byte[] input : inputs) {
            one(target, input);
        }
    }

    /** Finds the target. Jazzer calls it by this name. */
    public static void fuzzerInitialize() throws ReflectiveOperationException {
        String[] named = System.getProperty(TARGET).split("/");
        underJazzer = find(named[0], named[1]);
    }

    /** Runs one input. Jazzer calls it by this name. */
    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        one(underJazzer, input);
    }

    /**
     * Lists the targets, one a line as {@link #TARGET} wants it.
     *
     * @param targets classes of {@link FuzzTargets}
     */
    public static void main(String[] targets) throws ReflectiveOperationException {
        for (String one : targets) {
            for (FuzzTarget target : make(one).all()) {
                System.out.println(one + "/" + target.name());
            }
        }
    }

    private static FuzzTarget find(String targets, String name)
            throws ReflectiveOperationException {
        return make(targets).all().stream().filter(target -> target.name().equals(name))
                .findFirst().orElseThrow();
    }

    private static FuzzTargets make(String name) throws ReflectiveOperationException {
        return (FuzzTargets) Class.forName(name).getConstructor().newInstance();
    }
}
