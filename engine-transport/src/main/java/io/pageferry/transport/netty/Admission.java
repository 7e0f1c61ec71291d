package io.pageferry.transport.netty;

import java.net.InetSocketAddress;
import java.util.Optional;

/** Decides whether a peer that no certificate vouches for may come in. For any thread. */
public interface Admission {
    /**
     * Looks at a TCP connection without TLS whose first message has come; its socket may be closed
     * already. Called on an IO thread: it may read what the kernel knows, and waits for nobody.
     *
     * @param peer the source's end
     * @param ours the target's end
     * @return why it is refused, one line; empty where it is let in
     */
    Optional<String> objection(InetSocketAddress peer, InetSocketAddress ours);

    /**
     * Looks at the peer of a unix socket: at a target as above, at a source once it is connected.
     *
     * @param user number of the user whose process connected, or listens, as the kernel noted it
     *             then
     * @return why it is refused, one line; empty where it is let in
     */
    Optional<String> objection(long user);

    /** {@return one that lets everybody in who reaches the address} */
    static Admission open() {
        return new Admission() {
            @Override
            public Optional<String> objection(InetSocketAddress peer, InetSocketAddress ours) {
                return Optional.empty();
            }

            @Override
            public Optional<String> objection(long user) {
                return Optional.empty();
            }
        };
    }
}
