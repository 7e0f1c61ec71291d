package io.pageferry.core.image;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Turns errors of the JVM that one migration can survive into exceptions. */
public final class HostFaults {
    private HostFaults() {
    }

    /**
     * Makes an exception of an error. A page of a mapped file that cannot be had comes as an
     * {@link InternalError}: it is no bug, and nothing is wrong with the JVM.
     *
     * @param error what was thrown
     * @param why   a page cannot be had, in words
     * @return an {@link UncheckedIOException} for such a page, else one that stands for a bug
     */
    public static RuntimeException asException(VirtualMachineError error, String why) {
        return error instanceof InternalError
                ? new UncheckedIOException(new IOException(why, error))
                : new IllegalStateException(error.toString(), error);
    }
}
