package io.pageferry.transport.netty;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.uring.IoUring;

/** The ways to reach the kernel; what is here depends on the host. Unix sockets go by epoll. */
public enum TransportKind {
    /** Linux io_uring. */
    IO_URING,
    /** Linux epoll, native. */
    EPOLL,
    /** The JDK's own selector; works everywhere. The usual one: docs/adr/0002. */
    NIO;

    /**
     * Probes the host.
     *
     * @return null when this kind works here, else why not
     */
    public Throwable unavailability() {
        return switch (this) {
            case IO_URING -> IoUring.unavailabilityCause();
            case EPOLL -> Epoll.unavailabilityCause();
            case NIO -> null;
        };
    }

    /** {@return whether this kind works here} */
    public boolean isAvailable() {
        return unavailability() == null;
    }
}
