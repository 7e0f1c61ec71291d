package io.pageferry.agent.guest;

import java.io.IOException;

/**
 * What the command line said that concerns a guest.
 *
 * @param tracker  {@code auto} or the name of a tracker
 * @param prealloc whether a target makes its memory resident before it listens
 * @param injector injects into other processes: a guard's service, started when it is needed
 * @param after    what becomes of it at the source, one of {@link GuestKind#afterwards}; empty at
 *                 a target
 */
public record GuestSetup(String tracker, boolean prealloc, Injector injector,
        String after) {
    /**
     * Makes one where nothing is said of what becomes of the guest.
     *
     * @param tracker  as above
     * @param prealloc as above
     * @param injector as above
     */
    public GuestSetup(String tracker, boolean prealloc, Injector injector) {
        this(tracker, prealloc, injector, "");
    }

    /** Takes a userfaultfd of another process. */
    public interface Injector {
        /**
         * Makes a userfaultfd in a process and takes it.
         *
         * @param pid the process
         * @return a descriptor of this process, the caller's to close
         * @throws IOException when that cannot be had, with the reason
         */
        int userfault(long pid) throws IOException;
    }
}
