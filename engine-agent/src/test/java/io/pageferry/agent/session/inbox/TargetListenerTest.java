package io.pageferry.agent.session.inbox;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.testing.MemoryLinks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whoever connects costs a target a descriptor, and needs no secret for it. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class TargetListenerTest {
    @TempDir
    private Path folder;

    private final List<MemoryLinks> all = new ArrayList<>();

    private Optional<MemoryLinks> connect() {
        all.add(MemoryLinks.orderly());
        return Optional.of(all.getLast());
    }

    @Test
    void theOldestMakesRoomForTheNewest() throws IOException {
        TargetListener listener = new TargetListener(() -> connect().map(MemoryLinks::target),
                StateDirectory.open(folder), line -> { }, List::of);
        while (all.size() < TargetListener.MOST + 2) {
            listener.doWork();
        }
        assertEquals(all.subList(all.size() - TargetListener.MOST, all.size()),
                all.stream().filter(one -> one.source().isUp()).toList());
        listener.onClose();
        assertEquals(0, all.stream().filter(one -> one.source().isUp()).count());
        all.forEach(MemoryLinks::close);
    }
}
