package io.pageferry.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.core.testing.MemoryLinks;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Whoever connects costs a target a descriptor, and needs no secret for it. */
class TargetListenerTest {
    private final List<MemoryLinks> all = new ArrayList<>();

    private Optional<MemoryLinks> connect() {
        all.add(MemoryLinks.orderly());
        return Optional.of(all.getLast());
    }

    @Test
    void theOldestMakesRoomForTheNewest() {
        TargetListener listener = new TargetListener(() -> connect().map(MemoryLinks::target), null,
                List.of());
        for (int i = 0; i < TargetListener.MOST + 2; i++) {
            listener.doWork();
        }
        assertEquals(all.subList(2, all.size()),
                all.stream().filter(one -> one.source().isUp()).toList());
        listener.onClose();
        assertEquals(0, all.stream().filter(one -> one.source().isUp()).count());
        all.forEach(MemoryLinks::close);
    }
}
