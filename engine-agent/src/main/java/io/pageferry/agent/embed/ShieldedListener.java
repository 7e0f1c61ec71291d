package io.pageferry.agent.embed;

import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.round.RoundStats;

/** An embedder's listener, whose exceptions decide nothing: not who owns the guest, above all. */
final class ShieldedListener implements MigrationListener {
    private final MigrationListener hears;

    ShieldedListener(MigrationListener hears) {
        this.hears = hears;
    }

    @Override
    public void state(String state, long epoch) {
        tell(() -> hears.state(state, epoch));
    }

    @Override
    public void round(RoundStats round) {
        tell(() -> hears.round(round));
    }

    @Override
    public void progress(long round, long handled, long dirty) {
        tell(() -> hears.progress(round, handled, dirty));
    }

    @Override
    public void log(Level level, String message) {
        tell(() -> hears.log(level, message));
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
