package io.pageferry.agent.session;

import io.pageferry.agent.state.settle.StatusAnswers;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkAcceptor;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.TargetLink;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Accepts connections and finds out what they are for: an offer goes to a slot that is free, a
 * source that comes back to its session, and a question about a migration is answered. The slots'
 * thread calls every method.
 */
final class TargetListener implements Agent {
    /** So many are kept. The oldest makes room, and may come again. */
    static final int MOST = 64;

    private static final int MOST_AT_ONCE = 16;

    private final LinkAcceptor acceptor;
    private final StatusAnswers answers;
    private final List<TargetSlot> slots;
    private final List<PendingConnection> pending = new ArrayList<>();

    /**
     * Makes a listener.
     *
     * @param acceptor gives links; stays the caller's
     * @param answers  from the journals; closed with this
     * @param slots    that take guests in
     */
    TargetListener(LinkAcceptor acceptor, StatusAnswers answers, List<TargetSlot> slots) {
        this.acceptor = acceptor;
        this.answers = answers;
        this.slots = slots;
    }

    /** Accepts a new connection, and polls the others; returns work done. */
    @Override
    public int doWork() {
        int work = answers.doWork();
        long now = SystemNanoClock.INSTANCE.nanoTime();
        // More than a few in one cycle, and those of a stranger would hold a migration up.
        for (int i = 0; i < MOST_AT_ONCE; i++) {
            Optional<TargetLink> link = acceptor.accept();
            if (link.isEmpty()) {
                break;
            }
            if (pending.size() == MOST) {
                pending.removeFirst().link().close();
            }
            pending.add(new PendingConnection(link.get(), this, now));
            work++;
        }
        for (int i = pending.size() - 1; i >= 0; i--) {
            PendingConnection connection = pending.get(i);
            work += connection.poll();
            if (connection.isTaken()) {
                pending.remove(i);
            } else if (connection.isOver(now)) {
                connection.link().close();
                pending.remove(i);
            }
        }
        return work;
    }

    void onHello(PendingConnection connection, Message.Hello hello) {
        // A recovery may be ending what an earlier agent left in the slot's guest.
        Optional<TargetSlot> free = answers.isLent() ? Optional.empty()
                : slots.stream().filter(TargetSlot::isFree).findFirst();
        if (free.isEmpty()) {
            connection.link().send(new Message.Failure(ErrorCode.BUSY,
                    "this target has a guest already or is taking one in"));
            connection.leave();
            return;
        }
        connection.giveTo(free.get().begin(connection.link(), hello));
    }

    /** Takes a migration up again, or returns the answer, as soon as there is one. */
    Optional<CompletableFuture<Message>> onResume(PendingConnection connection,
            Message.Resume resume) {
        Optional<TargetSession> session = session(resume.migrationId());
        if (session.isEmpty()) {
            return Optional.of(answers.answer(resume));
        }
        Optional<Message> refusal = session.get().resume(connection.link(), resume);
        if (refusal.isEmpty()) {
            connection.giveTo(session.get().handler());
        }
        return refusal.map(CompletableFuture::completedFuture);
    }

    CompletableFuture<Message> onStatus(Message.Status status) {
        // Of a running migration from memory: what this process holds is not opened again.
        return session(status.migrationId()).flatMap(session -> session.answer(status))
                .map(CompletableFuture::completedFuture).orElseGet(() -> answers.answer(status));
    }

    void onFarewell(UUID migration) {
        session(migration).ifPresent(TargetSession::onFarewell);
    }

    private Optional<TargetSession> session(UUID migration) {
        return slots.stream().flatMap(slot -> slot.session().stream())
                .filter(session -> session.id().equals(migration)).findFirst();
    }

    @Override
    public String roleName() {
        return "target listener";
    }

    /** Closes the connections that no session has; waits for a recovery. */
    @Override
    public void onClose() {
        CloseHelper.closeAll(pending.stream().map(PendingConnection::link).toList());
        answers.close();
    }
}
