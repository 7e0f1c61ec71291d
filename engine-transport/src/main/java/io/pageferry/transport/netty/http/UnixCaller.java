package io.pageferry.transport.netty.http;

import io.netty.channel.ChannelException;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.PeerCredentials;
import io.netty.channel.unix.RawUnixChannelOption;
import io.pageferry.transport.http.HttpCall.Caller;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** Finds out who is at the other end of a unix socket, as the kernel noted it at connect(2). */
final class UnixCaller {
    private static final int SOL_SOCKET = 1;
    /** asm-generic/socket.h; all groups of the peer, Linux 4.13. */
    private static final int SO_PEERGROUPS = 59;
    private static final int MOST_GROUPS = 256;
    private static final RawUnixChannelOption GROUPS = new RawUnixChannelOption("SO_PEERGROUPS",
            SOL_SOCKET, SO_PEERGROUPS, MOST_GROUPS * Integer.BYTES);

    private UnixCaller() {
    }

    /** Gives the caller with the group that lets it in; empty where it may not ask. */
    static Optional<Caller> admit(EpollDomainSocketChannel channel, Predicate<Caller> admitted)
            throws IOException {
        PeerCredentials peer = channel.peerCredentials();
        Caller first = new Caller(peer.uid(), peer.gids()[0], "");
        if (admitted.test(first)) {
            return Optional.of(first);
        }
        return groups(channel).mapToObj(group -> new Caller(peer.uid(), group, ""))
                .filter(admitted).findFirst();
    }

    /** A peer with more groups than fit is judged by its first one alone. */
    private static IntStream groups(EpollDomainSocketChannel channel) {
        ByteBuffer groups;
        try {
            groups = channel.config().getOption(GROUPS);
        } catch (ChannelException e) {
            return IntStream.empty();
        }
        // Behind the groups there are zeros, as nobody says how many there are; root's group is
        // not told apart from them, so it is left out.
        groups.order(ByteOrder.nativeOrder());
        return IntStream.range(0, groups.remaining() / Integer.BYTES)
                .map(i -> groups.getInt(groups.position() + i * Integer.BYTES))
                .filter(group -> group != 0);
    }
}
