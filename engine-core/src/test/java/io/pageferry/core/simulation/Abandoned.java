package io.pageferry.core.simulation;

import io.pageferry.core.handover.AbandonedMigration;
import io.pageferry.core.handover.Journal;
import io.pageferry.core.link.LinkOpener;
import io.pageferry.core.migration.GuestHandle;
import io.pageferry.core.migration.Outcome.Side;
import java.util.Optional;
import java.util.UUID;

/**
 * A migration of a simulation as a recovery finds it.
 *
 * @param id     its name
 * @param side   whose journal
 * @param places journal and guest, each with its lock
 * @param who    holds the locks
 * @param target opens links to the target
 */
record Abandoned(UUID id, Side side, Places places, Object who, LinkOpener target)
        implements AbandonedMigration {
    record Places(Journal journal, SimulatedLock journalLock, GuestHandle handle,
            SimulatedLock guestLock) { }

    @Override
    public Optional<Journal> lockJournal() {
        return places.journalLock().tryLock(who) ? Optional.of(places.journal())
                : Optional.empty();
    }

    @Override
    public boolean lockGuest() {
        return places.guestLock().tryLock(who);
    }

    @Override
    public Optional<GuestHandle> guest() {
        return Optional.of(places.handle());
    }

    @Override
    public boolean endsGuest() {
        return true;
    }

    @Override
    public void close() {
        places.journalLock().free(who);
        places.guestLock().free(who);
    }
}
