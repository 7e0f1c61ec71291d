package io.pageferry.core.testing;

import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.round.RoundStats;
import java.util.ArrayList;
import java.util.List;

/** Keeps what a migration says of itself. Confined to one thread. */
public final class RecordingListener implements MigrationListener {
    private final List<String> states = new ArrayList<>();
    private final List<RoundStats> rounds = new ArrayList<>();
    private final List<String> lines = new ArrayList<>();
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
    public void state(String state, long epoch) {
        states.add(state);
        log.add(side + ": " + state + " " + epoch);
    }

    @Override
    public void round(RoundStats round) {
        rounds.add(round);
    }

    @Override
    public void progress(long round, long handled, long dirty) {
        if (handled > dirty) {
            throw new IllegalStateException(handled + " pages handled of " + dirty);
        }
    }

    @Override
    public void log(Level level, String message) {
        lines.add(level + " " + message);
    }

    /** {@return the states entered, in order} */
    public List<String> states() {
        return List.copyOf(states);
    }

    /** {@return the rounds told, in order} */
    public List<RoundStats> rounds() {
        return List.copyOf(rounds);
    }

    /** {@return the lines logged, each with its level before it} */
    public List<String> lines() {
        return List.copyOf(lines);
    }
}
