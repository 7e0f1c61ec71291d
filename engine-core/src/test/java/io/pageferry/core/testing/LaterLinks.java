package io.pageferry.core.testing;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.incoming.TargetMigration;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SourceLink;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;

/**
 * The links after the first, and what a target's agent does with them: a RESUME goes to the
 * migration, a STATUS is answered from the journal once that is over.
 */
final class LaterLinks implements LinkOpener, AutoCloseable {
    private final Random random;
    private final TestJournal targetJournal;
    private final Supplier<TargetMigration> target;
    private final List<MemoryLinks> all = new ArrayList<>();
    private final List<MemoryLinks> pendingConnections = new ArrayList<>();
    private MemoryLinks current;
    private boolean answers = true;

    LaterLinks(Random random, MemoryLinks first, TestJournal targetJournal,
            Supplier<TargetMigration> target) {
        this.random = random;
        this.current = first;
        this.targetJournal = targetJournal;
        this.target = target;
    }

    void nobodyAnswers() {
        answers = false;
    }

    /** The newest link that the migration at the target took. */
    MemoryLinks current() {
        return current;
    }

    @Override
    public Optional<SourceLink> beginOpen() {
        if (!answers) {
            return Optional.empty();
        }
        MemoryLinks fresh = fresh();
        pendingConnections.add(fresh);
        return Optional.of(fresh.source());
    }

    /** Serves all that came. */
    void serve() {
        for (MemoryLinks pending : List.copyOf(pendingConnections)) {
            pending.target().poll(new Greeter(pending));
        }
    }

    private MemoryLinks fresh() {
        MemoryLinks fresh = MemoryLinks.shuffled(random.nextLong());
        all.add(fresh);
        return fresh;
    }

    @Override
    public void close() {
        all.forEach(MemoryLinks::close);
    }

    /** Takes the first message of a link. */
    private final class Greeter implements LinkHandler {
        private final MemoryLinks pending;

        Greeter(MemoryLinks pending) {
            this.pending = pending;
        }

        @Override
        public void onMessage(Message message) {
            if (message instanceof Message.Resume resume) {
                Optional<Message> answer = target.get().resume(pending.target(), resume);
                if (answer.isEmpty()) {
                    current = pending;
                    pendingConnections.remove(pending);
                } else {
                    say(answer.get());
                }
            } else {
                new JournalAnswers(targetJournal, pending.target()).onMessage(message);
            }
        }

        /** A queue that is full now may not be so at the next try. */
        private void say(Message answer) {
            for (int i = 0; i < 100 && !pending.target().send(answer); i++) {
                if (!pending.target().isUp()) {
                    return;
                }
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
