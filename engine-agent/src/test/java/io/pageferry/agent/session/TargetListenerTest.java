package io.pageferry.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.link.Listener;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.agent.state.settle.StatusAnswers;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.testing.MemoryLinks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
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
                new StatusAnswers(StateDirectory.open(folder), line -> { }, any -> false),
                List.of());
        while (all.size() < TargetListener.MOST + 2) {
            listener.doWork();
        }
        assertEquals(all.subList(all.size() - TargetListener.MOST, all.size()),
                all.stream().filter(one -> one.source().isUp()).toList());
        listener.onClose();
        assertEquals(0, all.stream().filter(one -> one.source().isUp()).count());
        all.forEach(MemoryLinks::close);
    }

    @Test
    void eachSlotTakesOneOfferAndThereIsNoRoomForAThird() throws IOException {
        StateDirectory directory = StateDirectory.open(folder);
        List<TargetSlot> slots = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            slots.add(new TargetSlot(Workloads.receive(folder), directory,
                    MigrationListener.silent(), () -> false));
            slots.getLast().open();
        }
        List<SourceSession> sources = new ArrayList<>();
        try (Listener.Open port = Workloads.receive(folder).listen().open(line -> { })) {
            TargetListener listener = new TargetListener(port,
                    new StatusAnswers(directory, line -> { }, any -> false), slots);
            for (int i = 0; i < 3; i++) {
                sources.add(Workloads.migrate(folder, port.address().orElseThrow()));
                sources.getLast().onStart();
            }
            while (!sources.stream().allMatch(SourceSession::isDone)
                    || !slots.stream().allMatch(slot -> slot.session().orElseThrow().isDone())) {
                sources.stream().filter(one -> !one.isDone()).forEach(SourceSession::doWork);
                listener.doWork();
                slots.forEach(slot -> slot.session().ifPresent(TargetSession::doWork));
            }
            listener.onClose();
        }
        sources.forEach(SourceSession::onClose);

        assertEquals(List.of(Result.COMPLETED, Result.COMPLETED, Result.REFUSED), sources.stream()
                .map(one -> one.result().outcome().result()).sorted().toList());
        assertEquals(List.of(ErrorCode.BUSY), sources.stream()
                .map(one -> one.result().outcome().code()).filter(Objects::nonNull).toList());
        for (TargetSlot slot : slots) {
            TargetSession session = slot.session().orElseThrow();
            assertTrue(session.hasArrived() && !slot.isFree(), () -> "" + session.outcome());
            slot.close(false);
        }
    }
}
