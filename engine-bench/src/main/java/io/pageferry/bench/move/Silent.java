package io.pageferry.bench.move;

import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.round.RoundStats;

/** Hears nothing. */
final class Silent implements MigrationListener {
    @Override
    public void state(String state, long epoch) {
        // The figures are asked at the end.
    }

    @Override
    public void round(RoundStats round) {
        // The figures are asked at the end.
    }

    @Override
    public void progress(long round, long handled, long dirty) {
        // The figures are asked at the end.
    }

    @Override
    public void log(Level level, String message) {
        // The figures are asked at the end.
    }
}
