package io.pageferry.agent.report;

import io.pageferry.core.migration.MigrationEvent;
import io.pageferry.core.migration.MigrationEvent.StateEntered;
import io.pageferry.core.migration.MigrationListener;
import io.pageferry.core.migration.MigrationSnapshot;
import io.pageferry.core.outgoing.session.SourceState;
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
    private OpeningLine opening;
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

    /**
     * Says on a terminal that a guest is being opened, until there is something else to show.
     *
     * @param guest its URI
     */
    public void opening(String guest) {
        if (bar) {
            opening = OpeningLine.show(output, "opening " + guest);
        }
    }

    /** Ends {@link #opening} where nothing was shown. Idempotent. */
    public void opened() {
        if (opening != null) {
            opening.end();
            opening = null;
        }
    }

    @Override
    public void on(MigrationEvent event) {
        if (event instanceof StateEntered entered) {
            if (entered.state().equals(state)) {
                return;
            }
            state = entered.state();
        }
        wipe();
        EventJson.show(output, lines, EventJson.of(event));
    }

    @Override
    public void onCycle(MigrationSnapshot now) {
        long nanos = nanoTime.getAsLong();
        if (!bar || nanos - lastBar < BAR_NANOS || now.leftPages() == 0
                || state.equals(SourceState.ENDED.label())) {
            return;
        }
        opened();
        lastBar = nanos;
        barShown = true;
        int full = (int) (BAR_WIDTH * now.handledPages() / now.dirtyPages());
        output.overwrite(String.format(Locale.ROOT, "round %2d [%s%s] %3d %%", now.round(),
                "#".repeat(full), " ".repeat(BAR_WIDTH - full),
                100 * now.handledPages() / now.dirtyPages()));
    }

    private void wipe() {
        opened();
        if (barShown) {
            output.overwrite("");
            barShown = false;
        }
    }
}
