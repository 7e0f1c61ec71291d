package io.pageferry.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pageferry.agent.link.Listener;
import io.pageferry.agent.session.inbox.SlotInbox;
import io.pageferry.agent.session.inbox.TargetListener;
import io.pageferry.agent.state.journal.StateDirectory;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.Outcome.Result;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several slots that have no name, behind one listener, all in one duty cycle. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SlotsOfOneThreadTest {
    @TempDir
    private Path folder;

    @Test
    void eachSlotTakesOneOfferAndThereIsNoRoomForAThird() throws IOException {
        StateDirectory directory = StateDirectory.open(folder);
        List<TargetSlot> slots = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            slots.add(new TargetSlot(new SlotInbox(""), Workloads.receive(folder), directory,
                    MigrationListener.silent(), () -> false));
            slots.getLast().open();
        }
        List<SourceSession> sources = new ArrayList<>();
        try (Listener.Open port = Workloads.receive(folder).listen().open(line -> { })) {
            TargetListener listener = new TargetListener(port, directory, line -> { },
                    () -> slots.stream().map(TargetSlot::inbox).toList());
            for (int i = 0; i < 3; i++) {
                sources.add(Workloads.migrate(folder, port.address().orElseThrow()));
                sources.getLast().onStart();
            }
            while (!sources.stream().allMatch(SourceSession::isDone)
                    || !slots.stream().allMatch(slot -> slot.session()
                            .map(TargetSession::isDone).orElse(false))) {
                sources.stream().filter(one -> !one.isDone()).forEach(SourceSession::doWork);
                listener.doWork();
                slots.forEach(TargetSlot::deliver);
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
