package io.pageferry.agent.session;

import io.pageferry.core.codec.PageBatch;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** A fresh connection at the target, until its first message shows what it is for. */
final class PendingConnection implements LinkHandler {
    /** A source that asks for a status may ask again; for so long the connection is kept. */
    static final long KEEP_NANOS = 60_000_000_000L;

    private final TargetLink link;
    private final TargetListener listener;
    private final long since;
    private boolean leaving;
    /** The migration whose status was sent to it: it knew the name. */
    private UUID told;
    private LinkHandler session;
    /** What it asked and was not answered yet, in order. */
    private final Deque<Asked> questions = new ArrayDeque<>();

    /** A question about a migration, and the answer to come. */
    private record Asked(UUID migration, CompletableFuture<Message> answer) { }

    PendingConnection(TargetLink link, TargetListener listener, long since) {
        this.link = link;
        this.listener = listener;
        this.since = since;
    }

    /** Delivers at most what is there, or the answers to it; returns work done. */
    int poll() {
        return questions.isEmpty() ? link.poll(this) : answer();
    }

    /** Sends the answers that are there; returns how many. */
    private int answer() {
        int sent = 0;
        while (!questions.isEmpty() && questions.peek().answer().isDone()) {
            Asked first = questions.poll();
            reply(first.migration(), first.answer().join());
            sent++;
        }
        return sent;
    }

    /** Whoever got a durable word may say farewell to it: it knew the migration's name. */
    private void reply(UUID migration, Message word) {
        link.send(word);
        switch (word) {
            case Message.Failure failure -> leave();
            case Message.StatusUnknown unknown -> { }
            default -> told = migration;
        }
    }

    private void await(UUID migration, CompletableFuture<Message> word) {
        questions.add(new Asked(migration, word));
        answer();
    }

    TargetLink link() {
        return link;
    }

    /** Returns whether it is done with; its link is closed then unless a session took it. */
    boolean isOver(long now) {
        return leaving || !link.isUp() || now - since > KEEP_NANOS;
    }

    /** Gives it to a session, which polls the link from now on; this poll delivers to it too. */
    void giveTo(LinkHandler taker) {
        session = taker;
    }

    /** Returns whether a session has it. */
    boolean isTaken() {
        return session != null;
    }

    void leave() {
        leaving = true;
    }

    @Override
    public void onMessage(Message message) {
        if (session != null) {
            session.onMessage(message);
            return;
        }
        switch (message) {
            case Message.Hello hello -> listener.onHello(this, hello);
            case Message.Resume resume -> listener.onResume(this, resume).ifPresent(word ->
                    await(resume.migrationId(), word));
            case Message.Status status -> await(status.migrationId(), listener.onStatus(status));
            case Message.Farewell farewell -> {
                if (told != null) {
                    listener.onFarewell(told);
                }
                leave();
            }
            case Message.Heartbeat heartbeat -> { }
            default -> leave();
        }
    }

    @Override
    public void onBatch(PageBatch batch) {
        if (session != null) {
            session.onBatch(batch);
        } else {
            leave();
        }
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        leave();
    }
}
