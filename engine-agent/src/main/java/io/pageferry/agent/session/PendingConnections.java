package io.pageferry.agent.session;

import io.pageferry.core.link.LinkAcceptor;
import io.pageferry.core.link.TargetLink;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.agrona.CloseHelper;
import org.agrona.concurrent.SystemNanoClock;

/** The connections at the target whose purpose is not known yet, or that only ask. */
final class PendingConnections implements AutoCloseable {
    /** So many are kept. Whoever has asked already makes room, and may come again. */
    static final int MOST = 64;

    private final TargetAgent agent;
    private final List<PendingConnection> here = new ArrayList<>();

    PendingConnections(TargetAgent agent) {
        this.agent = agent;
    }

    /** Greets who came, and listens to the others; returns work done. */
    int welcome(LinkAcceptor listener) {
        int work = 0;
        long now = SystemNanoClock.INSTANCE.nanoTime();
        Optional<TargetLink> link = listener.accept();
        if (link.isPresent()) {
            if (here.size() == MOST) {
                here.removeFirst().link().close();
            }
            here.add(new PendingConnection(link.get(), agent, now));
            work++;
        }
        for (int i = here.size() - 1; i >= 0; i--) {
            PendingConnection pending = here.get(i);
            work += pending.poll();
            if (pending.isTaken()) {
                here.remove(i);
            } else if (pending.isOver(now)) {
                pending.link().close();
                here.remove(i);
            }
        }
        return work;
    }

    @Override
    public void close() {
        CloseHelper.closeAll(here.stream().map(PendingConnection::link).toList());
    }
}
