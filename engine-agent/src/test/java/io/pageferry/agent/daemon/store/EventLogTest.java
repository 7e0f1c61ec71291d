package io.pageferry.agent.daemon.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.daemon.store.EventLog.Event;
import io.pageferry.agent.report.Output;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class EventLogTest {
    private final EventLog log = new EventLog(() -> 1_000_000);
    private final List<Event> seen = new ArrayList<>();

    private void publish(int count) {
        for (int i = 0; i < count; i++) {
            log.publish("state", "m", Output.event("state").put("n", i));
        }
    }

    @Test
    void aReaderHearsWhatItMissedAndThenTheRest() {
        publish(3);
        log.follow(OptionalLong.empty(), seen::add);
        assertEquals(List.of(), seen);
        publish(1);
        long first = seen.getFirst().id();
        List<Event> again = new ArrayList<>();
        log.follow(OptionalLong.of(first - 2), again::add);
        publish(1);
        assertEquals(List.of(first - 1, first, first + 1), again.stream().map(Event::id)
                .toList());
        assertTrue(again.getLast().data().contains("\"migration\":\"m\",\"at\":1000000"));
    }

    @Test
    void whatIsNotKeptIsAGap() {
        publish(10_000);
        log.follow(OptionalLong.of(5), seen::add);
        assertEquals("gap", seen.getFirst().kind());
        assertEquals(seen.getFirst().id() + 1, seen.get(1).id());
        long chars = seen.stream().skip(1).mapToLong(event -> event.data().length()).sum();
        assertTrue(chars <= 160 << 10 && seen.size() > 1000, "" + chars);
        assertEquals(seen.getFirst().data(), "{\"event\":\"gap\",\"from\":6,\"to\":"
                + seen.getFirst().id() + "}");
    }

    @Test
    void whoWantsNoMoreIsForgotten() {
        log.follow(OptionalLong.empty(), event -> {
            seen.add(event);
            return false;
        });
        publish(2);
        assertEquals(1, seen.size());
    }

    @Test
    void idsAscendOverARestart() {
        publish(1);
        log.follow(OptionalLong.of(0), seen::add);
        new EventLog(() -> 1_000_001).follow(OptionalLong.of(seen.getLast().id()),
                event -> seen.add(event));
        assertEquals("gap", seen.getLast().kind());
        assertTrue(seen.getLast().id() > seen.get(1).id());
    }
}
