package io.pageferry.agent.embed;

import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.MigrationSnapshot;

/** An embedder's listener, whose exceptions decide nothing, least of all the guest's owner. */
final class ShieldedListener implements MigrationListener {
    private final MigrationListener hears;

    ShieldedListener(MigrationListener hears) {
        this.hears = hears;
    }

    @Override
    public void on(MigrationEvent event) {
        tell(() -> hears.on(event));
    }

    @Override
    public void onCycle(MigrationSnapshot now) {
        tell(() -> hears.onCycle(now));
    }

    private static void tell(Runnable what) {
        try {
            what.run();
        } catch (RuntimeException e) {
            Thread here = Thread.currentThread();
            here.getUncaughtExceptionHandler().uncaughtException(here, e);
        }
    }
}
