package io.pageferry.transport.netty;

import java.net.InetSocketAddress;
import java.util.Optional;

/** Decides whether a source that no certificate vouches for may come in. For any thread. */
@FunctionalInterface
public interface Admission {
    /**
     * Looks at a connection without TLS whose first message has come; its socket may be closed
     * already. Called on an IO thread: it may read what the kernel knows, and waits for nobody.
     *
     * @param peer the source's end
     * @param ours the target's end
     * @return why it is refused, one line; empty where it is let in
     */
    Optional<String> objection(InetSocketAddress peer, InetSocketAddress ours);

    /** {@return one that lets everybody in who reaches the address} */
    static Admission open() {
        return (peer, ours) -> Optional.empty();
    }
}
