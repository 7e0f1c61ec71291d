package io.pageferry.core.source;

import io.pageferry.core.link.Link;
import io.pageferry.core.link.Message;
import java.util.ArrayDeque;

/**
 * Messages on their way out, in order. A link whose queue is full takes them at the next turn.
 * Bounded by the device state, whose chunks are by far the most of it.
 */
final class Outbox {
    private final ArrayDeque<Message> waiting = new ArrayDeque<>();
    private Link link;

    Outbox(Link link) {
        this.link = link;
    }

    /** Changes to another link; what waited for the old one is dropped. */
    void use(Link other) {
        waiting.clear();
        link = other;
    }

    void send(Message message) {
        waiting.add(message);
        flush();
    }

    /** Hands over what the link takes; returns how many messages it took. */
    int flush() {
        int taken = 0;
        while (!waiting.isEmpty() && link.send(waiting.peek())) {
            waiting.poll();
            taken++;
        }
        return taken;
    }
}
