package io.pageferry.agent.link;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class RefusalsTest {
    private static final long SECOND = 1_000_000_000L;

    private final Refusals refusals = new Refusals();

    @Test
    void theFirstIsLoggedAtOnceAndTheNextAfterASecond() {
        assertEquals(Optional.empty(), refusals.poll(-5));
        refusals.add("/a: no");
        assertEquals(Optional.of("refused /a: no"), refusals.poll(-5));
        for (int i = 0; i < 1300; i++) {
            refusals.add("/b: no " + i);
        }
        assertEquals(Optional.empty(), refusals.poll(-6 + SECOND));
        assertEquals(Optional.of("refused /b: no 1299, and 1299 others before it"),
                refusals.poll(-5 + SECOND));
        assertEquals(Optional.empty(), refusals.poll(-5 + 2 * SECOND));
    }

    @Test
    void whoeverLogsThemAtOnceGetsOneASecond() {
        List<String> log = new ArrayList<>();
        long[] now = {-5};
        Consumer<String> sink = Refusals.loggedTo(log::add, () -> now[0]);
        for (int i = 0; i < 1300; i++) {
            sink.accept("no " + i);
        }
        now[0] += SECOND;
        sink.accept("no more");
        assertEquals(List.of("refused no 0", "refused no more, and 1299 others before it"), log);
    }

    @Test
    void theLastWordDoesNotWait() {
        refusals.add("/a: no");
        refusals.poll(0);
        refusals.add("/b: no");
        assertEquals(Optional.of("refused /b: no"), refusals.take(1));
        assertEquals(Optional.empty(), refusals.take(2));
    }
}
