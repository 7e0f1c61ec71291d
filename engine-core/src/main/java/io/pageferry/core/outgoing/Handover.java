package io.pageferry.core.outgoing;

import io.pageferry.core.handover.JournalRecord;
import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.MigrationFigures.Part;
import io.pageferry.core.handover.StatusQuery;
import io.pageferry.core.link.ErrorCode;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.migration.Outcome.Result;
import io.pageferry.core.migration.Outcome.Side;
import java.io.IOException;

/** From J(GRANTED) to the target's word. The guest here stays paused whatever happens. */
final class Handover {
    /**
     * The guest's first tenth of a second at the target is its own: it wakes cold, and where both
     * sides share a host, what ends here (a process, a gigabyte of mappings) would take its cores.
     */
    static final long QUIET_NANOS = 100_000_000;

    private final SourceContext context;
    private final StatusQuery settlement;
    private final long pausedNanos;
    private final long readyNanos;
    private long runningNanos;

    /**
     * Writes J(GRANTED), then sends the grant.
     *
     * @throws IOException when the record may not be durable: nothing was granted
     */
    Handover(SourceContext context, long pausedNanos, long readyNanos) throws IOException {
        this.context = context;
        this.pausedNanos = pausedNanos;
        this.readyNanos = readyNanos;
        context.parts.journal().write(
                new JournalRecord(JournalState.GRANTED, context.epoch(), context.ran(), ""));
        context.figures().owner("unknown", context.epoch());
        context.enter(SourceState.GRANTED);
        context.outbox.send(new Message.Grant(context.epoch(), context.ran()));
        settlement = new StatusQuery(context.parts.id(), context.epoch(), context.parts.opener(),
                context.parts.link(),
                new StatusQuery.Window(context.now(), context.parts.options().settleNanos()));
    }

    int poll(LinkHandler handler) {
        return settlement.step(context.now(), handler) + context.outbox.flush();
    }

    void turn() {
        holdStill();
        if (settlement.isOver(context.now())) {
            String settle = "pageferry settle " + context.parts.id();
            context.finish(Outcome.of(Result.IN_DOUBT, ErrorCode.LINK_LOST,
                    "no word from the target since it was granted the guest; ours stays paused, "
                    + "because the target may run it", Side.TARGET)
                    .withRemedy(settle + " asks again; when the target is certain to be off: "
                    + settle + " --source --target-is-fenced"));
        }
    }

    /** The target may run it: whoever lets ours go on is too late. */
    private void holdStill() {
        if (!context.parts.guest().resumedExternally()) {
            return;
        }
        try {
            context.parts.guest().pause();
            context.warn("somebody let the guest go on here, although the target may run it; it"
                    + " was paused again: what it did meanwhile is lost");
        } catch (GuestException e) {
            context.warn("somebody let the guest go on here, although the target may run it, and"
                    + " it cannot be paused: " + e.getMessage());
        }
    }

    void onRunning(Message.Running running) {
        if (running.epoch() != context.epoch()) {
            // That of another attempt says nothing of this one.
            return;
        }
        long now = context.now();
        runningNanos = now;
        long resumeNanos = Math.min(running.resumeNanos(), now - readyNanos);
        context.figures().add(Part.RESUME, resumeNanos);
        context.figures().add(Part.HANDOVER, now - readyNanos - resumeNanos);
        context.figures().times(now - pausedNanos, now - context.startNanos);
        context.figures().owner("target", context.epoch());
        context.record(JournalState.DONE, context.epoch(), "");
        context.enter(SourceState.DONE);
    }

    /** J(DONE) is written: end the guest here, and let the target go. */
    void endGuest() {
        holdStill();
        if (context.now() - runningNanos < QUIET_NANOS) {
            return;
        }
        try {
            if (context.parts.options().endGuest()) {
                context.parts.guest().end();
            }
            context.record(JournalState.SETTLED, context.epoch(), "");
        } catch (GuestException e) {
            // Not settled: whoever reads the journal next tries to end it again.
            context.warn("the guest runs at the target, but ours could not be ended: "
                    + e.getMessage());
        }
        settlement.tell(new Message.Farewell(context.epoch(), context.figures().totalNanos(),
                context.figures().downtimeNanos()));
        context.finish(Outcome.completed());
    }

    /** The target's durable no arrived: it may forget us. */
    void farewell() {
        settlement.tell(new Message.Farewell(context.epoch(), 0, 0));
    }

    void close() {
        settlement.close();
    }
}
