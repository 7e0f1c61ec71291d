package io.pageferry.agent.report;

import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.round.RoundStats;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * Stops an agent at a chosen state, so that a test can kill it right there, or change the world
 * around it. The state's event was written before; its record, if it has one, is durable.
 *
 * <p>Chosen by the system property {@value #PROPERTY}: the name of a state, {@code paused} for
 * the moment after the first last pages were applied, or {@code round N} for that after pre-copy
 * round N.
 */
public final class Hold implements MigrationListener {
    /** Names the state; no property, no hold. */
    public static final String PROPERTY = "pageferry.hold";

    /** Names a file: it stands there only as long as that is there. */
    public static final String WHILE = "pageferry.hold.while";

    private static final long PAUSE_NANOS = 10_000_000L;
    private static final String PAUSED = "paused";

    private final MigrationListener listener;
    private final String at;
    private final Path file;

    private Hold(MigrationListener listener, String at) {
        this.listener = listener;
        this.at = at;
        this.file = Optional.ofNullable(System.getProperty(WHILE)).map(Path::of).orElse(null);
    }

    /**
     * Wraps a listener where a hold was asked for.
     *
     * @param listener the real one
     * @return it, or a hold around it
     */
    public static MigrationListener around(MigrationListener listener) {
        String at = System.getProperty(PROPERTY);
        return at == null ? listener : new Hold(listener, at);
    }

    @Override
    public void state(String state, long epoch) {
        listener.state(state, epoch);
        holdIf(at.equals(state));
    }

    @Override
    public void round(RoundStats round) {
        listener.round(round);
        holdIf(at.equals(round.stopAndCopy() ? PAUSED : "round " + round.round()));
    }

    @Override
    public void progress(long round, long handled, long dirty) {
        listener.progress(round, handled, dirty);
    }

    @Override
    public void log(Level level, String message) {
        listener.log(level, message);
    }

    private void holdIf(boolean here) {
        while (here && (file == null || Files.exists(file))) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }
}
