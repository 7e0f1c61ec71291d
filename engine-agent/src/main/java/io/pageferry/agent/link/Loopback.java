package io.pageferry.agent.link;

import io.pageferry.agent.host.linux.SocketFile;
import io.pageferry.transport.netty.TransportKind;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.Optional;

/** Decides which addresses are used: without encryption those of this host alone. */
public final class Loopback {
    private Loopback() {
    }

    /**
     * Returns what is wrong with an address, if anything.
     *
     * @param address resolved
     * @param text    the address as messages name it
     * @param trusted whether the whole network was declared trusted
     * @return one line, which the caller ends with how to allow it; empty where it is fine
     */
    public static Optional<String> objection(InetSocketAddress address, String text,
            boolean trusted) {
        return trusted || address.getAddress().isLoopbackAddress() ? Optional.empty()
                : Optional.of(text + " is no loopback address: whoever reaches it can read or"
                        + " replace the guest; ");
    }

    /**
     * Returns what is wrong with a unix socket, if anything.
     *
     * @param socket of an absolute path
     * @param text   the address as messages name it
     * @param tls    whether TLS is wanted
     * @return one line; empty where it is fine
     */
    public static Optional<String> objection(UnixDomainSocketAddress socket, String text,
            boolean tls) {
        if (tls) {
            return Optional.of(text + ": TLS is for HOST:PORT; a unix socket does not leave this"
                    + " host, and the kernel says whose its ends are");
        }
        if (!TransportKind.EPOLL.isAvailable()) {
            return Optional.of(text + ": unix sockets want Netty's epoll, which does not load here"
                    + " (" + TransportKind.EPOLL.unavailability() + "); write HOST:PORT");
        }
        int length = SocketFile.length(socket.getPath());
        return length <= SocketFile.LONGEST ? Optional.empty() : Optional.of(text
                + ": its path has " + length + " bytes, and the kernel takes "
                + SocketFile.LONGEST + " at most");
    }
}
