package io.pageferry.agent.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.round.RoundStats;
import java.util.Locale;
import java.util.function.LongSupplier;

/** Shows a migration while it goes on: events, a line for each round, a bar on a terminal. */
public final class MigrationView implements MigrationListener {
    /** How often a bar moves: ten times a second looks live and costs nothing. */
    private static final long BAR_NANOS = 100_000_000L;

    private static final int BAR_WIDTH = 30;

    private final Output output;
    private final boolean lines;
    private final boolean bar;
    private final LongSupplier nanoTime;
    private long lastBar;
    private boolean barShown;
    private String state = "";

    /**
     * Makes a view.
     *
     * @param output   to write to
     * @param mode     of progress
     * @param terminal whether stderr is one
     * @param nanoTime monotonic clock
     */
    public MigrationView(Output output, ProgressMode mode, boolean terminal,
            LongSupplier nanoTime) {
        this.output = output;
        this.lines = mode != ProgressMode.NONE;
        this.bar = mode == ProgressMode.AUTO && terminal;
        this.nanoTime = nanoTime;
    }

    @Override
    public void state(String newState, long epoch) {
        if (newState.equals(state)) {
            return;
        }
        state = newState;
        output.emit(Output.event("state").put("state", newState).put("epoch", epoch));
        wipe();
        if (lines && !output.isJson()) {
            output.note("state    " + newState + (epoch > 0 ? " (epoch " + epoch + ")" : ""));
        }
    }

    @Override
    public void round(RoundStats round) {
        ObjectNode event = Output.event("round");
        event.setAll(Rounds.json(round));
        output.emit(event);
        wipe();
        if (lines) {
            output.note(Rounds.line(round));
        }
    }

    @Override
    public void progress(long round, long handled, long dirty) {
        long now = nanoTime.getAsLong();
        if (!bar || now - lastBar < BAR_NANOS || dirty == 0) {
            return;
        }
        lastBar = now;
        barShown = true;
        int full = (int) (BAR_WIDTH * Math.min(handled, dirty) / dirty);
        output.overwrite(String.format(Locale.ROOT, "round %2d [%s%s] %3d %%", round,
                "#".repeat(full), " ".repeat(BAR_WIDTH - full), 100 * handled / dirty));
    }

    @Override
    public void log(Level level, String message) {
        output.emit(Output.event("log").put("level", level.label())
                .put("message", message));
        wipe();
        if (level == Level.WARN || lines) {
            output.note((level == Level.WARN ? "warning  " : "note     ") + message);
        }
    }

    private void wipe() {
        if (barShown) {
            output.overwrite("");
            barShown = false;
        }
    }
}
