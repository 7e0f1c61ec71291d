package io.pageferry.agent.link;

import io.pageferry.agent.host.linux.PeerUser;
import io.pageferry.transport.netty.Admission;
import java.net.InetSocketAddress;
import java.util.Optional;

/** Lets those of this host in that are this process's user or root. For any thread. */
final class LocalPeers implements Admission {
    @Override
    public Optional<String> objection(InetSocketAddress peer, InetSocketAddress ours) {
        return PeerUser.objection(peer, ours);
    }

    @Override
    public Optional<String> objection(long user) {
        return PeerUser.objection(user);
    }
}
