package io.pageferry.core.simulation;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.incoming.TargetMigration;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import io.pageferry.core.testing.JournalAnswers;
import io.pageferry.core.testing.MemoryLinks;
import io.pageferry.core.testing.TestJournal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The target's host as new connections find it: a RESUME goes to the migration, a STATUS is
 * answered from the journal once the migration is over or its agent was started again.
 */
final class SimulatedListener implements LinkOpener {
    private enum Host { SERVES, DOWN, RESTARTED }

    private final SimulatedConnector connector;
    private final TestJournal journal;
    private final List<MemoryLinks> pendingConnections = new ArrayList<>();
    private MemoryLinks current;
    private TargetMigration target;
    private Host host = Host.SERVES;

    SimulatedListener(SimulatedConnector connector, TestJournal journal) {
        this.connector = connector;
        this.journal = journal;
        this.current = connector.fresh();
    }

    void serves(TargetMigration migration) {
        target = migration;
    }

    void died() {
        host = Host.DOWN;
    }

    void restarted() {
        host = Host.RESTARTED;
    }

    /** The newest link that the migration at the target took. */
    MemoryLinks current() {
        return current;
    }

    /** Cuts whatever is open. */
    void cut(ErrorCode code, String reason) {
        current.cut(code, reason);
        pendingConnections.forEach(link -> link.cut(code, reason));
    }

    @Override
    public Optional<SourceLink> beginOpen() {
        return Optional.of(connector.atSource(dial()));
    }

    /** Opens links as another process than the source does, whose fuse does not burn for it. */
    LinkOpener others() {
        return () -> Optional.of(dial().source());
    }

    private MemoryLinks dial() {
        MemoryLinks fresh = connector.fresh();
        if (host == Host.DOWN) {
            fresh.cut(ErrorCode.LINK_LOST, "nobody listens");
        } else {
            pendingConnections.add(fresh);
        }
        return fresh;
    }

    /** Serves all that came; returns how much there was to do. */
    int serve() {
        int work = 0;
        if (host != Host.DOWN) {
            for (MemoryLinks pending : List.copyOf(pendingConnections)) {
                work += pending.target().poll(new Greeter(pending));
            }
        }
        return work;
    }

    /** Takes the first message of a link. */
    private final class Greeter implements LinkHandler {
        private final MemoryLinks pending;
        private boolean taken;

        Greeter(MemoryLinks pending) {
            this.pending = pending;
        }

        @Override
        public void onMessage(Message message) {
            if (taken) {
                target.onMessage(message);
                return;
            }
            if (!(message instanceof Message.Resume resume)) {
                new JournalAnswers(journal, pending.target()).onMessage(message);
                return;
            }
            Optional<Message> answer = host == Host.RESTARTED
                    ? Optional.of(new Message.Failure(ErrorCode.PROTOCOL_VIOLATION,
                            "the token belongs to no session here"))
                    : target.resume(connector.atTarget(pending), resume);
            if (answer.isEmpty()) {
                taken = true;
                current = pending;
                pendingConnections.remove(pending);
                return;
            }
            // A queue that is full now may not be so at the next try.
            for (int i = 0; i < 100 && pending.target().isUp()
                    && !pending.target().send(answer.get()); i++) {
                continue;
            }
        }

        @Override
        public void onBatch(PageBatch batch) {
            throw new AssertionError("pages before the link was taken");
        }

        @Override
        public void onLost(ErrorCode code, String reason) {
            pendingConnections.remove(pending);
        }
    }
}
