package io.pageferry.agent.session.inbox;

import io.pageferry.agent.session.inbox.SlotInbox.Errand;
import io.pageferry.agent.session.inbox.SlotInbox.Reply;
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
    private boolean taken;
    /** The migration whose status was sent to it: it knew the name. */
    private UUID told;
    /** The slot that takes the link once it was polled, and what is handed over; or null. */
    private SlotInbox inbox;
    private Errand errand;
    /** Whether a slot has the link for the time being. */
    private boolean away;
    /** What it asked and was not answered yet, in order. */
    private final Deque<Asked> questions = new ArrayDeque<>();

    /**
     * A question about a migration, and the answer to come.
     *
     * @param handed with which the link went away, or null where it did not
     */
    private record Asked(UUID migration, Message question, Errand handed,
            CompletableFuture<Reply> answer) { }

    PendingConnection(TargetLink link, TargetListener listener, long since) {
        this.link = link;
        this.listener = listener;
        this.since = since;
    }

    /** Delivers at most what is there, or the answers to it; returns work done. */
    int poll() {
        if (!questions.isEmpty()) {
            return answer();
        }
        int work = link.poll(this);
        if (errand != null) {
            handOver();
        }
        return work;
    }

    /** After the poll, because one thread at a time polls a link. */
    private void handOver() {
        Errand now = errand;
        errand = null;
        if (!inbox.hand(now)) {
            refuse(ErrorCode.BUSY, "this slot is about to close, or has too much to answer");
        } else if (now.message() instanceof Message.Hello) {
            taken = true;
        } else {
            away = true;
            questions.add(new Asked(now.migration(), now.message(), now, now.reply()));
        }
    }

    /** Sends the answers that are there; returns how many. */
    private int answer() {
        int sent = 0;
        while (!taken && !questions.isEmpty() && questions.peek().answer().isDone()) {
            Asked first = questions.poll();
            Reply reply = first.answer().join();
            if (first.handed() != null) {
                away = false;
                taken = reply.isTaken();
            }
            if (reply == Reply.UNKNOWN) {
                questions.addFirst(new Asked(first.migration(), first.question(), first.handed(),
                        listener.answer(first.question()).thenApply(Reply::of)));
            } else if (!taken) {
                reply(first.migration(), reply.word());
                if (first.handed() != null) {
                    first.handed().rest().forEach(one -> one.accept(this));
                }
            }
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

    private void await(UUID migration, Message question, CompletableFuture<Reply> word) {
        questions.add(new Asked(migration, question, null, word));
        answer();
    }

    /** Returns whether it is done with; its link is closed then unless a slot took it. */
    boolean isOver(long now) {
        return !away && (leaving || !link.isUp() || now - since > KEEP_NANOS);
    }

    /** Returns whether a slot has the link for the time being, so that nobody else may close it. */
    boolean isAway() {
        return away;
    }

    /** Returns whether a slot has taken it for good. */
    boolean isTaken() {
        return taken;
    }

    void leave() {
        leaving = true;
    }

    /** Closes the link, where a slot has it as soon as that gives it back. */
    void close() {
        if (away) {
            questions.getFirst().answer().thenAccept(reply -> {
                if (!reply.isTaken()) {
                    link.close();
                }
            });
        } else {
            link.close();
        }
    }

    void refuse(ErrorCode code, String reason) {
        link.send(new Message.Failure(code, reason));
        leave();
    }

    /** Hands the link over to a slot, with a message and whatever comes behind it. */
    void goTo(SlotInbox slot, UUID migration, Message message) {
        if (questions.isEmpty()) {
            inbox = slot;
            errand = new Errand(migration, message, link);
        } else {
            // It did not wait for an answer: no source does so.
            leave();
        }
    }

    @Override
    public void onMessage(Message message) {
        if (errand != null) {
            errand.rest().add(slot -> slot.onMessage(message));
            return;
        }
        switch (message) {
            case Message.Hello hello -> listener.onHello(this, hello);
            case Message.Resume resume -> listener.onResume(this, resume).ifPresent(word ->
                    await(resume.migrationId(), resume, word));
            case Message.Status status -> await(status.migrationId(), status,
                    listener.onStatus(status));
            case Message.Farewell farewell -> {
                if (told != null) {
                    listener.onFarewell(told, farewell);
                }
                leave();
            }
            case Message.Heartbeat heartbeat -> { }
            default -> leave();
        }
    }

    @Override
    public void onBatch(PageBatch batch) {
        // No channel is attached before a slot answered.
        leave();
    }

    @Override
    public void onLost(ErrorCode code, String reason) {
        if (errand != null) {
            errand.rest().add(slot -> slot.onLost(code, reason));
        } else {
            leave();
        }
    }
}
