package io.pageferry.core.link.flow;

import io.pageferry.core.link.Link;
import io.pageferry.core.link.Message;
import java.util.ArrayDeque;

/**
 * Messages on their way out, in order. A link whose queue is full takes them at the next turn, so
 * no caller has to wait for it. Bounded by what a migration sends: the chunks of a device state are
 * by far the most of it. One thread.
 */
public final class Outbox {
    private final ArrayDeque<Message> waiting = new ArrayDeque<>();
    private final Link link;

    /**
     * Makes an empty one.
     *
     * @param link takes the messages; stays the caller's
     */
    public Outbox(Link link) {
        this.link = link;
    }

    /**
     * Sends a message after all those sent before.
     *
     * @param message what to send; dropped with the link when that is lost
     */
    public void send(Message message) {
        waiting.add(message);
        flush();
    }

    /** {@return whether nothing waits} */
    public boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** {@return how many messages wait} */
    public int waiting() {
        return waiting.size();
    }

    /** Forgets what waits: it was meant for a link that is lost. */
    public void clear() {
        waiting.clear();
    }

    /**
     * Hands over what the link takes now.
     *
     * @return how many messages it took
     */
    public int flush() {
        int taken = 0;
        while (!waiting.isEmpty() && link.send(waiting.peek())) {
            waiting.poll();
            taken++;
        }
        return taken;
    }
}
