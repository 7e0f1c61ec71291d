package io.pageferry.agent.report;

import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.round.RoundStats;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** Tells several listeners of a migration, in order. */
public final class Listeners implements MigrationListener {
    private final List<MigrationListener> all;

    private Listeners(List<MigrationListener> all) {
        this.all = all;
    }

    /**
     * Finds the listeners that the class path provides by {@link ServiceLoader}.
     *
     * @param first is told before them
     * @return tells them all
     */
    public static MigrationListener after(MigrationListener first) {
        Stream<MigrationListener> found = ServiceLoader.load(MigrationListener.class).stream()
                .map(ServiceLoader.Provider::get);
        return new Listeners(Stream.concat(Stream.of(first), found).toList());
    }

    @Override
    public void state(String state, long epoch) {
        all.forEach(one -> one.state(state, epoch));
    }

    @Override
    public void round(RoundStats round) {
        all.forEach(one -> one.round(round));
    }

    @Override
    public void progress(long round, long handled, long dirty) {
        all.forEach(one -> one.progress(round, handled, dirty));
    }

    @Override
    public void log(Level level, String message) {
        all.forEach(one -> one.log(level, message));
    }
}
