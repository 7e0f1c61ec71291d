package io.pageferry.core.outgoing.phase;

import io.pageferry.core.handover.JournalState;
import io.pageferry.core.handover.StatusQuery;
import io.pageferry.core.link.LinkHandler;
import io.pageferry.core.link.Message;
import io.pageferry.core.migration.GuestException;
import io.pageferry.core.migration.Outcome;
import io.pageferry.core.outgoing.session.SourceContext;
import io.pageferry.core.outgoing.session.SourceState;

/** Ends the guest here after J(DONE), and lets the target go. */
public final class EndingGuest implements Phase {
    /**
     * The guest's first tenth of a second at the target is its own: it wakes cold, and where both
     * sides share a host, what ends here (a process, a gigabyte of mappings) would take its cores.
     */
    public static final long QUIET_NANOS = 100_000_000;

    private final SourceContext context;
    private final StatusQuery query;
    private final long runningNanos;

    EndingGuest(SourceContext context, StatusQuery query, long runningNanos) {
        this.context = context;
        this.query = query;
        this.runningNanos = runningNanos;
    }

    @Override
    public SourceState state() {
        return SourceState.DONE;
    }

    @Override
    public SourceContext context() {
        return context;
    }

    @Override
    public int poll(LinkHandler handler) {
        return query.step(context.now(), handler);
    }

    @Override
    public Phase turn(long now) {
        Granted.holdStill(context);
        if (now - runningNanos < QUIET_NANOS) {
            return this;
        }
        try {
            if (context.parts().options().endGuest()) {
                context.parts().guest().end();
            }
            context.record(JournalState.SETTLED, context.epoch(), "");
        } catch (GuestException e) {
            // Not settled: the next recovery from this journal tries to end it again.
            context.warn("the guest runs at the target, but ours could not be ended: "
                    + e.getMessage());
        }
        query.tell(new Message.Farewell(context.epoch(), context.figures().totalNanos(),
                context.figures().downtimeNanos()));
        return new Ended(context, Outcome.completed());
    }

    @Override
    public Phase on(Message message) {
        return this;
    }

    @Override
    public Phase cancel() {
        context.noteLateCancel();
        return this;
    }
}
