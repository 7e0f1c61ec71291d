package io.pageferry.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.testing.MemoryLinks;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Whoever connects costs a target a descriptor, and needs no secret for it. */
class PendingConnectionsTest {
    private final List<MemoryLinks> all = new ArrayList<>();

    @Test
    void theOldestMakesRoomForTheNewest() {
        try (PendingConnections pendingConnections = new PendingConnections(new TargetAgent(null,
                MigrationListener.silent(), address -> { }, result -> { }))) {
            for (int i = 0; i < PendingConnections.MOST + 2; i++) {
                MemoryLinks one = MemoryLinks.orderly();
                all.add(one);
                pendingConnections.welcome(() -> Optional.of(one.target()));
            }
            assertEquals(all.subList(2, all.size()),
                    all.stream().filter(one -> one.source().isUp()).toList());
        }
        assertEquals(0, all.stream().filter(one -> one.source().isUp()).count());
        all.forEach(MemoryLinks::close);
    }
}
