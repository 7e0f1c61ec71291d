package io.pageferry.core.testing;

import java.util.ArrayList;
import java.util.List;

/**
 * What happened, in order, on both sides: acts on guests ({@code source.pause}), records of
 * journals ({@code source.J(GRANTED 1)}). Confined to one thread.
 */
public final class EventLog {
    private final List<String> events = new ArrayList<>();

    /** Makes an empty log. */
    public EventLog() {
    }

    /**
     * Adds an event.
     *
     * @param event what happened
     */
    public void add(String event) {
        events.add(event);
    }

    /** {@return all events, oldest first; a copy} */
    public List<String> events() {
        return List.copyOf(events);
    }

    /**
     * Counts.
     *
     * @param event an event
     * @return how often it happened
     */
    public long count(String event) {
        return events.stream().filter(event::equals).count();
    }

    /**
     * Tells whether events happened in an order, others possibly between them.
     *
     * @param expected the order
     * @return whether they are a subsequence of what happened
     */
    public boolean inOrder(String... expected) {
        int found = 0;
        for (String event : events) {
            if (found < expected.length && event.equals(expected[found])) {
                found++;
            }
        }
        return found == expected.length;
    }

    @Override
    public String toString() {
        return String.join(", ", events);
    }
}
