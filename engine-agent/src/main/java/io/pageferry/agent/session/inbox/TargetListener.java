package io.pageferry.agent.session.inbox;

import io.pageferry.agent.session.inbox.SlotInbox.Errand;
import io.pageferry.agent.session.inbox.SlotInbox.Reply;
import io.pageferry.agent.state.journal.StateDirectory;
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
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Accepts connections and finds out what they are for: an offer goes to a slot that is free, a
 * source that comes back to its session, and a question about a migration is answered. One thread
 * calls every method; the slots may have others, and nothing here waits for them.
 */
public final class TargetListener implements Agent {
    /** So many are kept. The oldest makes room, and may come again. */
    static final int MOST = 64;

    private static final int MOST_AT_ONCE = 16;

    /** So many names fit into a reason, which a peer reads. */
    private static final int MOST_NAMES = 8;

    private final LinkAcceptor acceptor;
    private final StatusAnswers answers;
    private final Supplier<List<SlotInbox>> inboxes;
    private final List<PendingConnection> pending = new ArrayList<>();

    /**
     * Makes a listener.
     *
     * @param acceptor  gives links; stays the caller's
     * @param directory of the journals that answer for migrations that ended
     * @param words     gets one line for people at a time
     * @param inboxes   asked on each message for those of the slots that there are
     */
    public TargetListener(LinkAcceptor acceptor, StateDirectory directory, Consumer<String> words,
            Supplier<List<SlotInbox>> inboxes) {
        this.acceptor = acceptor;
        this.answers = new StatusAnswers(directory, words,
                identity -> inboxes.get().stream().anyMatch(inbox -> inbox.lend(identity)));
        this.inboxes = inboxes;
    }

    /** Accepts new connections, and polls the others; returns work done. */
    @Override
    public int doWork() {
        int work = answers.doWork();
        if (!answers.isLent()) {
            inboxes.get().forEach(SlotInbox::giveBack);
        }
        long now = SystemNanoClock.INSTANCE.nanoTime();
        // More than a few in one cycle, and those of a stranger would hold a migration up.
        for (int i = 0; i < MOST_AT_ONCE && hasRoom(); i++) {
            Optional<TargetLink> link = acceptor.accept();
            if (link.isEmpty()) {
                break;
            }
            if (pending.size() == MOST) {
                oldest().ifPresent(one -> {
                    pending.remove(one);
                    one.close();
                });
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
                connection.close();
                pending.remove(i);
            }
        }
        return work;
    }
    /** {@return whether there is nothing to look after until the next connection comes} */
    public boolean isIdle() {
        return pending.isEmpty() && answers.isIdle();
    }

    /** Where all are at slots, which answer soon, the next one waits. */
    private boolean hasRoom() {
        return pending.size() < MOST || oldest().isPresent();
    }

    private Optional<PendingConnection> oldest() {
        return pending.stream().filter(one -> !one.isAway()).findFirst();
    }

    void onHello(PendingConnection connection, Message.Hello hello) {
        List<SlotInbox> candidates = candidates(hello.slot());
        List<SlotInbox> free = candidates.stream().filter(SlotInbox::isFree).toList();
        if (candidates.isEmpty()) {
            connection.refuse(ErrorCode.GUEST_MISMATCH, hello.slot().isEmpty()
                    ? "this target has no slot"
                    : "this target has no slot " + hello.slot() + ": " + names(inboxes.get()));
        } else if (free.size() > 1 && !free.getFirst().name().isEmpty()) {
            connection.refuse(ErrorCode.GUEST_MISMATCH, "several slots of this target are free,"
                    + " and none is named: " + names(free));
        } else if (free.isEmpty() || !free.getFirst().take(hello.migrationId())) {
            connection.refuse(ErrorCode.BUSY, hello.slot().isEmpty()
                    || candidates.getFirst().name().isEmpty()
                    ? "this target has a guest already or is taking one in"
                    : "slot " + hello.slot() + " has a guest already or is taking one in");
        } else {
            connection.goTo(free.getFirst(), hello.migrationId(), hello);
        }
    }

    /** Those that may take a guest which asks for a slot, or for none; without a name any may. */
    private List<SlotInbox> candidates(String slot) {
        List<SlotInbox> open = inboxes.get().stream()
                .filter(inbox -> inbox.state() != SlotState.CLOSED).toList();
        List<SlotInbox> named = open.stream().filter(inbox -> !inbox.name().isEmpty()
                && (slot.isEmpty() || inbox.name().equals(slot))).toList();
        return named.isEmpty() ? open.stream().filter(inbox -> inbox.name().isEmpty()).toList()
                : named;
    }

    private static String names(List<SlotInbox> some) {
        List<String> names = some.stream().map(SlotInbox::name).filter(name -> !name.isEmpty())
                .sorted().toList();
        int more = names.size() - MOST_NAMES;
        return names.isEmpty() ? "it has none"
                : "it has " + String.join(", ", names.subList(0, Math.min(MOST_NAMES,
                        names.size()))) + (more > 0 ? " and " + more + " more" : "");
    }

    /** Hands a source that comes back to its session, or returns the answer to come. */
    Optional<CompletableFuture<Reply>> onResume(PendingConnection connection,
            Message.Resume resume) {
        Optional<SlotInbox> inbox = inbox(resume.migrationId());
        if (inbox.isEmpty()) {
            return Optional.of(answer(resume).thenApply(Reply::of));
        }
        connection.goTo(inbox.get(), resume.migrationId(), resume);
        return Optional.empty();
    }

    CompletableFuture<Reply> onStatus(Message.Status status) {
        // Of a running migration from memory: what this process holds is not opened again.
        Errand errand = new Errand(status.migrationId(), status, null);
        return inbox(status.migrationId()).filter(inbox -> inbox.hand(errand)).isPresent()
                ? errand.reply() : answer(status).thenApply(Reply::of);
    }

    /** Answers from the journals what no slot knows. */
    CompletableFuture<Message> answer(Message question) {
        return question instanceof Message.Resume resume ? answers.answer(resume)
                : answers.answer((Message.Status) question);
    }

    void onFarewell(UUID migration, Message.Farewell farewell) {
        inbox(migration).ifPresent(inbox -> inbox.hand(new Errand(migration, farewell, null)));
    }

    private Optional<SlotInbox> inbox(UUID migration) {
        return inboxes.get().stream().filter(inbox -> inbox.has(migration)).findFirst();
    }

    @Override
    public String roleName() {
        return "target listener";
    }

    /** Closes the connections that no session has; waits for a recovery. */
    @Override
    public void onClose() {
        CloseHelper.closeAll(pending.stream()
                .map(one -> (AutoCloseable) one::close).toList());
        answers.close();
        inboxes.get().forEach(SlotInbox::giveBack);
    }
}
