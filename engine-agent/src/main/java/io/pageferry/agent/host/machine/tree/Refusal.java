package io.pageferry.agent.host.machine.tree;

import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.GuestException;

/** What cannot be done to a system, with what to do instead. */
public final class Refusal {
    private Refusal() {
    }

    /**
     * Makes the exception.
     *
     * @param what   what stands in the way
     * @param remedy what to do about it
     * @return it, to be thrown
     */
    public static GuestException of(String what, String remedy) {
        return new GuestException(ErrorCode.HOST_FAILED, what, remedy);
    }
}
