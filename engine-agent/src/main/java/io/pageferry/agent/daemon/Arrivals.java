package io.pageferry.agent.daemon;

import io.pageferry.agent.report.Listeners;
import io.pageferry.agent.report.Report;
import io.pageferry.agent.session.AgentResult;
import io.pageferry.agent.session.TargetSlotHandle;
import io.pageferry.core.incoming.session.TargetState;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationEvent.StateEntered;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.MigrationSnapshot;
import io.pageferry.core.migration.Outcome.Result;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Tells the registry of the migrations that come into one slot, one after another. A migration is
 * one from its first page on: whoever only asks leaves no trace. Of the slot's thread.
 */
final class Arrivals implements MigrationListener {
    /** An offer that is refused goes from the first two to the last: no page of it came. */
    private static final Set<String> NOTHING_CAME = Set.of(TargetState.WAITING.label(),
            TargetState.RESERVED.label(), TargetState.ENDED.label());

    private final MoveRequest request;
    private final Migrations migrations;
    private final Runnable onArrived;
    private volatile TargetSlotHandle place;
    private Migration current;
    private volatile UUID arrived;
    private MigrationListener listeners = MigrationListener.silent();

    Arrivals(String slot, String guest, Migrations migrations, Runnable onArrived) {
        this.request = new MoveRequest(guest, "", slot, Map.of());
        this.migrations = migrations;
        this.onArrived = onArrived;
    }

    /** Names the place, as soon as it is there. */
    void from(TargetSlotHandle opened) {
        place = opened;
    }

    /** Returns the one that brought the guest which is here. */
    Optional<UUID> last() {
        return Optional.ofNullable(arrived);
    }

    @Override
    public void on(MigrationEvent event) {
        if (event instanceof StateEntered entered) {
            look(entered.state());
        }
        listeners.on(event);
    }

    @Override
    public void onCycle(MigrationSnapshot now) {
        look(now.state());
        listeners.onCycle(now);
    }

    private void look(String state) {
        if (NOTHING_CAME.contains(state)) {
            return;
        }
        Optional<UUID> id = Optional.ofNullable(place).flatMap(TargetSlotHandle::migration);
        if (id.isPresent() && (current == null || !current.id().equals(id.get()))) {
            begin(id.get());
        }
    }

    private void begin(UUID id) {
        if (current != null) {
            migrations.forget(current);
        }
        current = migrations.arriving(id, request);
        listeners = Listeners.after(current);
    }

    /** Notes how one ended. */
    void onEnd(AgentResult result) {
        UUID id = result.report().body().map(Report.Body::begin).map(Report.Begin::migrationId)
                .orElse(current == null ? null : current.id());
        if (id == null) {
            return;
        }
        if (current == null || !current.id().equals(id)) {
            begin(id);
        }
        Migration ended = current;
        current = null;
        arrived = result.outcome().result() == Result.COMPLETED ? id : null;
        if (arrived != null) {
            onArrived.run();
        }
        listeners = MigrationListener.silent();
        migrations.conclude(ended, result);
    }
}
