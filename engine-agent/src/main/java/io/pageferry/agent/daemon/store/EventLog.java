package io.pageferry.agent.daemon.store;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * The last events of all migrations, for readers that come and go. Safe for any thread; no call
 * waits, if no reader does.
 */
public final class EventLog {
    /** Events that are kept: hours of moves, minutes of a guest with very short rounds. */
    private static final int MOST = 4096;

    /** Of their text: who resumes gets it all at once, and a reader's queue has 256 KiB. */
    private static final long MOST_CHARS = 160 << 10;

    /** Ids go on from the clock, so that they ascend over a restart as well. */
    private static final long IDS_PER_MILLI = 1000;

    private final LongSupplier clockMillis;
    private final Deque<Event> kept = new ArrayDeque<>();
    private final List<Predicate<Event>> readers = new ArrayList<>();
    private long chars;
    private long last;

    /**
     * Something that happened.
     *
     * @param id        ascends
     * @param kind      of event
     * @param migration names the migration; empty of an event that concerns none
     * @param data      one line of JSON
     */
    public record Event(long id, String kind, String migration, String data) { }

    /**
     * Makes an empty log.
     *
     * @param clockMillis since 1970
     */
    public EventLog(LongSupplier clockMillis) {
        this.clockMillis = clockMillis;
        this.last = clockMillis.getAsLong() * IDS_PER_MILLI;
    }

    /**
     * Appends an event, and gives it to all readers.
     *
     * @param kind      of event
     * @param migration names the migration
     * @param data      its fields; those that every event has are added
     */
    public synchronized void publish(String kind, String migration, ObjectNode data) {
        data.put("migration", migration).put("at", clockMillis.getAsLong());
        Event event = new Event(++last, kind, migration, data.toString());
        kept.add(event);
        chars += event.data().length();
        while (kept.size() > MOST || chars > MOST_CHARS) {
            chars -= kept.remove().data().length();
        }
        readers.removeIf(reader -> !reader.test(event));
    }

    /**
     * Adds a reader: it gets what is kept from a place on, and then each new event. Where some of
     * that is not kept any more, an event {@code gap} says so first.
     *
     * @param after  the id behind which it begins; empty for new events alone
     * @param reader takes one, without waiting; returns false when it wants no more
     */
    public synchronized void follow(OptionalLong after, Predicate<Event> reader) {
        if (after.isPresent() && !caughtUp(after.getAsLong(), reader)) {
            return;
        }
        readers.add(reader);
    }

    /** Ends readers that want no more; of a reader that is gone nothing is heard till then. */
    public synchronized void forget(Predicate<Event> reader) {
        readers.remove(reader);
    }

    private boolean caughtUp(long after, Predicate<Event> reader) {
        long first = kept.isEmpty() ? last + 1 : kept.getFirst().id();
        // An id from before the restart of an agent is older than all that is kept.
        if (after < first - 1 && !reader.test(gap(after + 1, first - 1))) {
            return false;
        }
        for (Event event : kept) {
            if (event.id() > after && !reader.test(event)) {
                return false;
            }
        }
        return true;
    }

    private static Event gap(long from, long to) {
        return new Event(to, "gap", "", "{\"event\":\"gap\",\"from\":" + from + ",\"to\":" + to
                + "}");
    }
}
