package io.pageferry.core.testing;

import io.pageferry.core.migration.MigrationEvent.Logged;
import io.pageferry.core.migration.MigrationEvent.RoundEnded;
import io.pageferry.core.migration.MigrationEvent.StateEntered;
import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.MigrationSnapshot;
import io.pageferry.core.round.RoundStats;
import java.util.ArrayList;
import java.util.List;

/** Keeps what a migration says of itself. Confined to one thread. */
public final class RecordingListener implements MigrationListener {
    private final List<String> states = new ArrayList<>();
    private final List<RoundStats> rounds = new ArrayList<>();
    private final List<String> lines = new ArrayList<>();
    private final List<MigrationSnapshot> snapshots = new ArrayList<>();
    private final String side;
    private final EventLog log;

    /**
     * Makes an empty one.
     *
     * @param side {@code source} or {@code target}, for the log
     * @param log  receives each state as {@code side: state epoch}
     */
    public RecordingListener(String side, EventLog log) {
        this.side = side;
        this.log = log;
    }

    @Override
    public void on(MigrationEvent event) {
        switch (event) {
            case StateEntered entered -> {
                states.add(entered.state());
                log.add(side + ": " + entered.state() + " " + entered.epoch());
            }
            case RoundEnded ended -> rounds.add(ended.round());
            case Logged logged -> lines.add(logged.level() + " " + logged.message());
        }
    }

    @Override
    public void onCycle(MigrationSnapshot now) {
        if (now.leftPages() < 0) {
            throw new IllegalStateException("more pages handled than dirty: " + now);
        }
        snapshots.add(now);
    }

    /** {@return the states entered, in order} */
    public List<String> states() {
        return List.copyOf(states);
    }

    /** {@return the rounds told, in order} */
    public List<RoundStats> rounds() {
        return List.copyOf(rounds);
    }

    /** {@return the snapshots seen, in order} */
    public List<MigrationSnapshot> snapshots() {
        return List.copyOf(snapshots);
    }

    /** {@return the lines logged, each with its level before it} */
    public List<String> lines() {
        return List.copyOf(lines);
    }
}
