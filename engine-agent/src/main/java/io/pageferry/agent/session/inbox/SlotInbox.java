package io.pageferry.agent.session.inbox;

import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.link.SlotName;
import io.pageferry.core.link.TargetLink;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Between the thread that reads what connections are for and the thread of one slot, which may be
 * the same: the listener takes the slot for an offer, and hands over what is for it; the slot's
 * thread does that when it comes round. A link that was handed over is the slot's until its
 * {@link Reply} says otherwise. Any thread.
 */
public final class SlotInbox {
    /** So many wait to be done; whoever asks beyond that is told to come again. */
    private static final int MOST = 16;

    private final String name;
    private final Queue<Errand> errands = new ArrayDeque<>();
    private SlotState state = SlotState.CLOSED;
    private UUID migration;
    private List<String> identities = List.of();
    private boolean lent;
    /** Waits for an errand, or null. */
    private volatile Thread waiting;

    /** Does what was handed over, on the slot's thread. */
    public interface Keeper {
        /**
         * Takes an offer.
         *
         * @param link  the source's; the slot's from now on
         * @param hello the offer
         * @return what takes the rest that the link delivers
         */
        LinkHandler offered(TargetLink link, Message.Hello hello);

        /**
         * Takes a source that comes back, or says why not.
         *
         * @param link  the source's; stays the listener's unless it is taken
         * @param asked by it
         * @return whether it was taken, the answer otherwise
         */
        Reply resumed(TargetLink link, Message.Resume asked);

        /**
         * Answers from memory.
         *
         * @param asked about a migration
         * @return the answer, or that nothing is known here
         */
        Reply status(Message.Status asked);

        /**
         * Notes that a source knows how its migration ended.
         *
         * @param migration names it
         */
        void farewell(UUID migration);
    }

    /**
     * What became of an errand.
     *
     * @param taker takes what else the link delivers: it is the slot's; or null
     * @param word  to be sent over the link, which is the listener's again; or null
     */
    public record Reply(LinkHandler taker, Message word) {
        /** Nothing is known of that migration here: what the journals say counts. */
        public static final Reply UNKNOWN = new Reply(null, null);

        /**
         * Says that the link was taken.
         *
         * @param handler of what else it delivers
         * @return the reply
         */
        public static Reply taken(LinkHandler handler) {
            return new Reply(handler, null);
        }

        /**
         * Gives the answer.
         *
         * @param word to send
         * @return the reply
         */
        public static Reply of(Message word) {
            return new Reply(null, word);
        }

        boolean isTaken() {
            return taker != null;
        }
    }

    /** A message for a slot, with the link where it goes too, and what that delivered behind it. */
    record Errand(UUID migration, Message message, TargetLink link,
            List<Consumer<LinkHandler>> rest, CompletableFuture<Reply> reply) {
        Errand(UUID migration, Message message, TargetLink link) {
            this(migration, message, link, new ArrayList<>(), new CompletableFuture<>());
        }

        /** Nobody does it. An offer has nobody else who could close its link. */
        private void drop() {
            if (message instanceof Message.Hello) {
                link.close();
            }
            reply.complete(Reply.UNKNOWN);
        }
    }

    /**
     * Makes the inbox of a slot that is to be opened.
     *
     * @param name of the slot, or empty for one that takes offers whatever slot they name
     * @throws IllegalArgumentException when it can be no name
     */
    public SlotInbox(String name) {
        this.name = name.isEmpty() ? name : SlotName.require(name);
    }

    /** {@return the slot's name, or empty} */
    public String name() {
        return name;
    }

    /** {@return what the slot does} */
    public synchronized SlotState state() {
        return state;
    }

    /** {@return the migration that was offered to it, while it is under way} */
    public synchronized Optional<UUID> migration() {
        return Optional.ofNullable(migration);
    }

    /**
     * Opens it for offers, for the first time or the next one.
     *
     * @param guest identities of the guest that the slot has locked
     */
    public synchronized void open(List<String> guest) {
        identities = List.copyOf(guest);
        state = SlotState.WAITING;
        migration = null;
    }

    /** Opens it for offers again; the slot's guest is the same. */
    public synchronized void vacate() {
        open(identities);
    }

    /** Takes no offers from now on: a guest is here. */
    public synchronized void fill() {
        state = SlotState.FULL;
        migration = null;
    }

    /**
     * Closes it; nothing is handed over any more, and what was not done is refused.
     *
     * @return false where it is lent, and so stays open for a while
     */
    public synchronized boolean close() {
        if (lent) {
            return false;
        }
        state = SlotState.CLOSED;
        migration = null;
        errands.forEach(Errand::drop);
        errands.clear();
        return true;
    }

    /** Takes the slot for an offer, where it is free. */
    synchronized boolean take(UUID offered) {
        // What is taken is handed over next: a slot without room for it would wait for ever.
        if (state != SlotState.WAITING || lent || errands.size() == MOST) {
            return false;
        }
        state = SlotState.RECEIVING;
        migration = offered;
        return true;
    }

    synchronized boolean isFree() {
        return state == SlotState.WAITING && !lent;
    }

    synchronized boolean has(UUID asked) {
        return asked.equals(migration);
    }

    /** Lends the lock of a guest that waits for nothing: no offer is taken meanwhile. */
    synchronized boolean lend(String identity) {
        if (isFree() && identities.contains(identity)) {
            lent = true;
            return true;
        }
        return false;
    }

    synchronized void giveBack() {
        lent = false;
    }

    /** Hands over; returns false where the slot takes nothing at present. */
    boolean hand(Errand errand) {
        synchronized (this) {
            if (state == SlotState.CLOSED || errands.size() == MOST) {
                return false;
            }
            errands.add(errand);
        }
        wake();
        return true;
    }

    /** Ends a wait of the slot's thread. */
    public void wake() {
        LockSupport.unpark(waiting);
    }

    /**
     * Waits until something is handed over, or somebody wakes it, or the time is over; on the
     * slot's thread.
     *
     * @param nanos at most
     */
    public void await(long nanos) {
        waiting = Thread.currentThread();
        if (isEmpty()) {
            LockSupport.parkNanos(this, nanos);
        }
        waiting = null;
    }

    private synchronized boolean isEmpty() {
        return errands.isEmpty();
    }

    private synchronized Errand next() {
        return errands.poll();
    }

    /**
     * Has done what was handed over, on the slot's thread.
     *
     * @param keeper does it
     * @return how much that was
     */
    public int deliver(Keeper keeper) {
        int work = 0;
        for (Errand errand = next(); errand != null; errand = next()) {
            boolean done = false;
            try {
                deliver(keeper, errand);
                done = true;
            } finally {
                if (!done) {
                    errand.drop();
                }
            }
            work++;
        }
        return work;
    }

    private static void deliver(Keeper keeper, Errand errand) {
        Reply reply = switch (errand.message()) {
            case Message.Hello hello -> Reply.taken(keeper.offered(errand.link(), hello));
            case Message.Resume resume -> keeper.resumed(errand.link(), resume);
            case Message.Status status -> keeper.status(status);
            case Message.Farewell farewell -> {
                keeper.farewell(errand.migration());
                yield Reply.UNKNOWN;
            }
            default -> throw new IllegalStateException("nothing for a slot: " + errand.message());
        };
        if (reply.isTaken()) {
            errand.rest().forEach(one -> one.accept(reply.taker()));
        }
        errand.reply().complete(reply);
    }
}
