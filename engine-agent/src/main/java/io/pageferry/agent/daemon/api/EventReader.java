package io.pageferry.agent.daemon.api;

import io.pageferry.agent.daemon.CallException;
import io.pageferry.agent.daemon.CallException.Why;
import io.pageferry.agent.daemon.store.EventLog;
import io.pageferry.agent.daemon.store.EventLog.Event;
import io.pageferry.transport.http.EventSink;
import io.pageferry.transport.http.HttpAnswer;
import io.pageferry.transport.http.HttpCall;
import java.util.OptionalLong;
import java.util.function.Predicate;

/**
 * Reads events for one caller, of one migration or of all.
 *
 * @param sink      to the caller
 * @param migration whose events alone; empty for all
 */
record EventReader(EventSink sink, String migration) implements Predicate<Event> {
    static HttpAnswer answer(EventLog events, HttpCall call) {
        String after = call.headers().getOrDefault("last-event-id", "");
        OptionalLong from = after.isEmpty() ? OptionalLong.empty() : OptionalLong.of(id(after));
        String migration = call.query().getOrDefault("migration", "");
        return new HttpAnswer.Events(sink -> {
            EventReader reader = new EventReader(sink, migration);
            events.follow(from, reader);
            sink.onClose(() -> events.forget(reader));
        });
    }

    private static long id(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new CallException(Why.USAGE, "Last-Event-ID " + text + " is no id of an event",
                    "leave it out for new events alone");
        }
    }

    @Override
    public boolean test(Event event) {
        boolean others = !migration.isEmpty() && !event.migration().isEmpty()
                && !event.migration().equals(migration);
        return others || sink.send(Long.toString(event.id()), event.kind(), event.data());
    }
}
