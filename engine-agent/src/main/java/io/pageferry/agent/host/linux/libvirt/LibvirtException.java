package io.pageferry.agent.host.linux.libvirt;

import io.pageferry.core.words.Printable;
import java.io.IOException;

/** What libvirt refused or could not do, in its own words. */
public final class LibvirtException extends IOException {
    /** VIR_ERR_NO_DOMAIN of libvirt/virterror.h, as all numbers here. */
    private static final int NO_DOMAIN = 42;
    private static final int OPERATION_INVALID = 55;
    private static final int OPERATION_TIMEOUT = 68;
    /** VIR_FROM_RPC: it comes from the connection, and not from what was asked. */
    private static final int FROM_RPC = 7;
    private static final long serialVersionUID = 1L;

    private final int code;
    private final int origin;

    LibvirtException(int code, int origin, String message) {
        super(Printable.of(message));
        this.code = code;
        this.origin = origin;
    }

    /** {@return whether there is no domain of that name} */
    public boolean isNoDomain() {
        return code == NO_DOMAIN;
    }

    /** {@return whether the domain is not in a state for that: mostly, it does not run} */
    public boolean isNotRunning() {
        return code == OPERATION_INVALID || code == NO_DOMAIN;
    }

    /** {@return whether another job of the domain was in the way for as long as libvirt waits} */
    public boolean isBusy() {
        return code == OPERATION_TIMEOUT;
    }

    /** {@return whether the daemon was lost: what became of the call is unknown} */
    public boolean isConnectionLost() {
        return origin == FROM_RPC;
    }
}
