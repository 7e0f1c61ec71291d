package io.pageferry.agent.report;

import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.MigrationSnapshot;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** Passes each event to several listeners of a migration, in order. */
public final class Listeners implements MigrationListener {
    private final List<MigrationListener> all;

    private Listeners(List<MigrationListener> all) {
        this.all = all;
    }

    /**
     * Finds the listeners that the class path provides by {@link ServiceLoader}.
     *
     * @param first is called before them
     * @return a listener that calls them all
     */
    public static MigrationListener after(MigrationListener first) {
        Stream<MigrationListener> found = ServiceLoader.load(MigrationListener.class).stream()
                .map(ServiceLoader.Provider::get);
        return new Listeners(Stream.concat(Stream.of(first), found).toList());
    }

    @Override
    public void on(MigrationEvent event) {
        all.forEach(one -> one.on(event));
    }

    @Override
    public void onCycle(MigrationSnapshot now) {
        all.forEach(one -> one.onCycle(now));
    }
}
