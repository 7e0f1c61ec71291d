package io.pageferry.transport.netty.io;

import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.pageferry.transport.netty.Admission;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.Optional;

/** The other end of a connection, as the kernel knows it. Immutable. */
public final class PeerSocket {
    private final InetSocketAddress peer;
    private final InetSocketAddress ours;
    private final Long user;

    private PeerSocket(InetSocketAddress peer, InetSocketAddress ours, Long user) {
        this.peer = peer;
        this.ours = ours;
        this.user = user;
    }

    /**
     * Looks at a channel that is connected and not closed by this side. On its IO thread.
     *
     * @param channel over TCP or a unix socket
     * @return its other end
     */
    public static PeerSocket of(Channel channel) {
        if (!(channel instanceof EpollDomainSocketChannel unix)) {
            return new PeerSocket((InetSocketAddress) channel.remoteAddress(),
                    (InetSocketAddress) channel.localAddress(), null);
        }
        try {
            return new PeerSocket(null, null,
                    Integer.toUnsignedLong(unix.peerCredentials().uid()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@return what all connections of one origin have in common: the address, or the user} */
    public Object origin() {
        return user == null ? peer.getAddress() : user;
    }

    /**
     * Asks whether it may come in.
     *
     * @param admission decides
     * @return why not, one line; empty where it may
     */
    public Optional<String> objection(Admission admission) {
        return user == null ? admission.objection(peer, ours) : admission.objection(user);
    }

    /** {@return how lines name it} */
    @Override
    public String toString() {
        return user == null ? peer.toString() : "user " + user;
    }
}
