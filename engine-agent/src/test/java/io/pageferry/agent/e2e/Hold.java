package io.pageferry.agent.e2e;

import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.round.RoundStats;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * Stops a command of a test at a chosen state, so that the test can kill it right there, or change
 * the world around it. The commands find it by {@link java.util.ServiceLoader} on the class path of
 * the tests. The state's event was written before; its record, if it has one, is durable.
 *
 * <p>Chosen by the system property {@value #PROPERTY}: the name of a state, {@code paused} for
 * the moment after the first last pages were applied, or {@code round N} for that after pre-copy
 * round N.
 */
public final class Hold implements MigrationListener {
    /** Names the state; no property, no hold. */
    static final String PROPERTY = "pageferry.hold";

    /** Names a file: it stands there only as long as that is there. */
    static final String WHILE = "pageferry.hold.while";

    private static final long PAUSE_NANOS = 10_000_000L;
    private static final String PAUSED = "paused";

    private final String at = System.getProperty(PROPERTY, "");
    private final Path file =
            Optional.ofNullable(System.getProperty(WHILE)).map(Path::of).orElse(null);

    @Override
    public void state(String state, long epoch) {
        holdIf(at.equals(state));
    }

    @Override
    public void round(RoundStats round) {
        holdIf(at.equals(round.stopAndCopy() ? PAUSED : "round " + round.round()));
    }

    private void holdIf(boolean here) {
        while (here && (file == null || Files.exists(file))) {
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }
}
